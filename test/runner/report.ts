/**
 * Turns node:test's events into what a person reads while the suite runs, and into the sum at its end. Leaf tests are
 * counted; suites and tests that only hold others are not, unless they fail on their own account.
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

const OUTPUT_BYTES_MAX = 40_000;

type Result = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>;

interface Failure {
  name: string;
  detail: string;
}

/** What of one file, or outside of all files, went well and what did not. */
interface Tally {
  passed: number;
  skipped: number;
  failures: Failure[];
}

/** What went well and what did not, over the whole run. */
export class Report {
  readonly #root: string;
  readonly #write: (text: string) => void;
  readonly #outside: Tally = { passed: 0, skipped: 0, failures: [] };
  /** By the file's path. The second go of a file takes the place of the first. */
  readonly #files = new Map<string, Tally>();
  readonly #unsteady: Failure[] = [];

  constructor(root: string, write: (text: string) => void) {
    this.#root = root;
    this.#write = write;
  }

  note(text: string): void {
    this.tell(`${text}\n`);
  }

  pass(name: string, tookMs: number, indent = 0, tally = this.#outside, write = this.#write): void {
    tally.passed++;
    write(line(indent, `✔ ${name}`, tookMs));
  }

  skip(name: string, reason: string, indent: number, tally: Tally, write: (text: string) => void): void {
    tally.skipped++;
    write(line(indent, `- ${name} (${reason})`));
  }

  /** `detail` is shown at once and again at the end. */
  fail(name: string, detail: string, tookMs: number, indent = 0, tally = this.#outside, write = this.#write): void {
    tally.failures.push({ name, detail });
    write(line(indent, `✖ ${name}`, tookMs));
    if (detail !== '') write(`${indentText(detail, '  '.repeat(indent + 2))}\n`);
  }

  /** `isAlone`: nothing else is being told meanwhile, so all of it is told as it happens; else at its end. */
  beginFile(path: string, isAlone: boolean): FileReport {
    return new FileReport(this, path, this.#nameOf(path), isAlone ? this.#write : null);
  }

  /** Writes what a file had to say. */
  tell(text: string): void {
    this.#write(text);
  }

  /** What a file came to. What failed at its first go and not at its second is remembered as unsteady. */
  endFile(path: string, tally: Tally): void {
    const first = this.#files.get(path)?.failures ?? [];
    const again = new Set(tally.failures.map(({ name }) => name));
    this.#unsteady.push(...first.filter(({ name }) => !again.has(name)).map((one) => within(this.#nameOf(path), one)));
    this.#files.set(path, tally);
  }

  /** The files in which something failed. */
  failedFiles(): string[] {
    return [...this.#files].filter(([, { failures }]) => failures.length > 0).map(([path]) => path);
  }

  #nameOf(path: string): string {
    return relative(this.#root, path);
  }

  /** Writes the failures once more and the sum; says whether the run was a success. */
  finish(): boolean {
    const files = [...this.#files];
    const failures = [
      ...this.#outside.failures,
      ...files.flatMap(([path, tally]) => tally.failures.map((one) => within(this.#nameOf(path), one))),
    ];
    this.#list('Failed at the first go, passed at the second (a race, of the test or of Berth):', this.#unsteady);
    this.#list('Failed:', failures);
    const sum = (of: 'passed' | 'skipped') => files.reduce((total, [, tally]) => total + tally[of], this.#outside[of]);
    const nothingRan = sum('passed') + failures.length === 0;
    if (nothingRan) this.#write('\nNo test ran, which is a failure.\n');
    const skipped = sum('skipped') === 0 ? '' : `, ${sum('skipped')} skipped`;
    this.#write(`\n${sum('passed')} passed, ${failures.length} failed${skipped}\n`);
    return !nothingRan && failures.length === 0;
  }

  #list(title: string, failures: readonly Failure[]): void {
    if (failures.length > 0) this.#write(`\n${title}\n`);
    for (const { name, detail } of failures) {
      this.#write(`\n✖ ${name}\n${detail === '' ? '' : `${indentText(detail, '    ')}\n`}`);
    }
  }
}

/** The part of one file: it knows which of its tests have others inside, and keeps its output for when one fails. */
class FileReport {
  readonly #report: Report;
  readonly #path: string;
  readonly #name: string;
  readonly #startMs = performance.now();
  /** Nesting of the result before this one: the results of inner tests come right before their parent's. */
  #lastNesting = 0;
  readonly #running: string[] = [];
  readonly #tally: Tally = { passed: 0, skipped: 0, failures: [] };
  #output = '';
  #results = 0;
  #held = '';
  readonly #write: (text: string) => void;

  constructor(report: Report, path: string, name: string, write: ((text: string) => void) | null) {
    this.#report = report;
    this.#path = path;
    this.#name = name;
    this.#write =
      write ??
      ((text) => {
        this.#held += text;
      });
    this.#write(`\n${name}\n`);
  }

  take(event: TestEvent): void {
    switch (event.type) {
      case 'test:pass':
      case 'test:fail':
        this.#takeResult(event);
        break;
      case 'test:dequeue':
        if (event.data.name !== this.#path) this.#running.push(event.data.name);
        break;
      case 'test:complete':
        if (this.#running.includes(event.data.name)) this.#running.splice(this.#running.indexOf(event.data.name), 1);
        break;
      case 'test:stdout':
      case 'test:stderr':
        this.#output = (this.#output + event.data.message).slice(-OUTPUT_BYTES_MAX);
        break;
    }
  }

  #takeResult({ type, data }: Result): void {
    const isParent = data.nesting < this.#lastNesting || data.details.type === 'suite';
    this.#lastNesting = data.nesting;
    const tookMs = data.details.duration_ms;
    const indent = data.nesting + 1;
    if (data.name === this.#path) {
      // The file as a whole: of interest only when its process failed otherwise than by a test of its own.
      if (type === 'test:fail') this.#fail('the file itself', fileFailure(data), tookMs, 1);
      return;
    }
    this.#results++;
    if (data.skip !== undefined || data.todo !== undefined) {
      const reason = data.skip ?? data.todo;
      this.#report.skip(
        data.name,
        typeof reason === 'string' ? reason : data.skip ? 'skipped' : 'to do',
        indent,
        this.#tally,
        this.#write,
      );
    } else if (type === 'test:fail') {
      const error = data.details.error as Error & { failureType?: string };
      if (isParent && error.failureType === 'subtestsFailed') return; // told and counted where it happened
      this.#fail(data.name, inspect(error.cause ?? error), tookMs, indent);
    } else if (!isParent) {
      this.#report.pass(data.name, tookMs, indent, this.#tally, this.#write);
    }
  }

  #fail(name: string, detail: string, tookMs: number, indent: number): void {
    this.#report.fail(name, detail, tookMs, indent, this.#tally, this.#write);
  }

  /** `timedOutMs`: the file was ended because it took that long. */
  end(timedOutMs: number | undefined): void {
    const tookMs = performance.now() - this.#startMs;
    if (timedOutMs !== undefined) {
      const running = this.#running.map((name) => `"${name}"`).join(' in ') || 'none';
      this.#fail('ends in time', `Not done after ${duration(timedOutMs)}; tests running: ${running}`, tookMs, 1);
    } else if (this.#results === 0 && this.#tally.failures.length === 0) {
      this.#write('  (no tests)\n');
    }
    if (this.#tally.failures.length > 0 && this.#output !== '')
      this.#write(`  output of ${this.#name}:\n${indentText(this.#output, '  | ')}\n`);
    this.#write(`  ${this.#name}: ${duration(tookMs)}\n`);
    this.#report.tell(this.#held);
    this.#report.endFile(this.#path, this.#tally);
  }
}

function within(file: string, { name, detail }: Failure): Failure {
  return { name: `${file}: ${name}`, detail };
}

function line(indent: number, text: string, tookMs?: number): string {
  return `${'  '.repeat(indent)}${text}${tookMs === undefined ? '' : ` (${duration(tookMs)})`}\n`;
}

function fileFailure(data: Extract<TestEvent, { type: 'test:fail' }>['data']): string {
  const error = data.details.error as Error & { exitCode?: number; signal?: string };
  if (error.signal) return `its process was ended by ${error.signal}`;
  return error.exitCode === undefined
    ? inspect(error.cause ?? error)
    : `its process ended with exit code ${error.exitCode}`;
}

function duration(tookMs: number): string {
  if (tookMs < 1_000) return `${Math.round(tookMs)} ms`;
  return tookMs < 120_000 ? `${(tookMs / 1_000).toFixed(1)} s` : `${(tookMs / 60_000).toFixed(1)} min`;
}

function indentText(text: string, indent: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => indent + line)
    .join('\n');
}
