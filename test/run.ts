/**
 * Runs the whole test suite: `node test/run.ts [path or part of a path ...]`. Lint, types and dead code count as tests,
 * and so does that nothing is left running. Two files run at a time, of which at most one boots machines. Files that failed in a run of
 * the whole suite run once more at its end. The last line of the output is the sum; the exit code is 1 when anything failed or
 * nothing ran. What a test is and how one fails is
 * node:test's business; the words are report.ts's.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { globSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endProcess, findMarkedProcesses, TEST_RUN_VARIABLE } from './runner/leftovers.ts';
import { Report } from './runner/report.ts';
import { shareAmongFiles } from './runner/shared.ts';

/** A file that boots several virtual machines without hardware virtualization takes minutes; none takes this long, not
 * even the 300 rounds of pulled plugs, which take 15 minutes beside other work. */
const FILE_TIMEOUT_MS = Number(process.env.BERTH_TEST_FILE_TIMEOUT_MS ?? 30 * 60_000);
/** Beginnings of paths. Files that boot machines run one after the other; beside them all others do, with little more than one processor. */
const WITH_MACHINES = ['agent/vm/', 'builder/'];
/** They change the host's network, many of them beside booting machines, and run after those that only do the latter. */
const WITH_NETWORKS = ['agent/container/', 'agent/network/', 'console/machine-', 'system/'];
/** Chromium drops whatever it loads when a network card comes or goes (ERR_NETWORK_CHANGED): these run before that. */
const WITH_BROWSER = ['browser/', 'sdk/package'];
/** They kill processes at moments that mean something, and run after everything else. Two at a time take as long as one after the other. */
const LAST = ['torture/'];
/** How long a file's process may take to end after it was told to. */
const FILE_GRACE_MS = 10_000;
/** Where more files than these fail, something is broken, and a second go would only take time. */
const SECOND_GOES_MAX = 8;
const CHECK_TIMEOUT_MS = 10 * 60_000;
/** Processes that were told to end in the last test may need a moment. */
const LEFTOVER_GRACE_MS = 5_000;
const OUTPUT_BYTES_MAX = 200_000;

const CHECKS: [name: string, command: string, args: string[]][] = [
  ['lint', 'biome', ['check', '.']],
  ['types', 'tsc', ['--noEmit']],
  ['types of the console', 'tsc', ['--noEmit', '-p', 'console']],
  ['dead code', 'knip', []],
];

/** Another tree than our own; how the runner itself is tested. */
const root = resolve(process.env.BERTH_TEST_ROOT ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
const filters = process.argv.slice(2);
const runId = randomUUID();
process.env[TEST_RUN_VARIABLE] = runId;
const report = new Report(root, (text) => process.stdout.write(text));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const one of findMarkedProcesses(runId)) endProcess(one);
    report.fail(`interrupted by ${signal}`, '', 0);
    finish();
  });
}

const files = globSync('test/**/*.test.ts', { cwd: root })
  .map((path) => join(root, path))
  .sort();
const chosen = filters.length === 0 ? files : files.filter((file) => filters.some((filter) => matches(file, filter)));
for (const filter of filters) {
  if (!files.some((file) => matches(file, filter))) report.fail(`no test file matches "${filter}"`, '', 0);
}

if (filters.length === 0) for (const [name, command, args] of CHECKS) await runCheck(name, command, args);
shareAmongFiles(root);
const kinds = [LAST, WITH_MACHINES, WITH_NETWORKS, WITH_BROWSER];
const lists = kinds.map((kind) => chosen.filter((file) => isOf(file, kind)));
const [last, withMachines, withNetworks, withBrowser] = lists;
const others = chosen.filter((file) => !kinds.some((kind) => isOf(file, kind)));
const browsed = runInTurn(withBrowser);
await Promise.all([
  runInTurn(withMachines)
    .then(() => browsed)
    .then(() => runInTurn(withNetworks))
    .then(() => runInTurn(others)),
  browsed.then(() => runInTurn(others)),
]);
await runInTurn(last);
if (filters.length === 0) await runAgain(report.failedFiles());
await checkNothingLeftRunning();
finish();

function matches(file: string, filter: string): boolean {
  const path = resolve(filter);
  return relative(root, file).includes(filter) || file === path || file.startsWith(path + sep);
}

async function runCheck(name: string, command: string, args: string[]): Promise<void> {
  const startMs = performance.now();
  const child = spawn(join(root, 'node_modules', '.bin', command), args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CHECK_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_BYTES_MAX);
    });
  }
  const failure = await new Promise<string | undefined>((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (code, signal) => done(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`));
  });
  const tookMs = performance.now() - startMs;
  if (failure === undefined) report.pass(name, tookMs);
  else report.fail(name, `${command} ${args.join(' ')} ${failure}\n${output}`, tookMs);
}

function isOf(file: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => relative(root, file).startsWith(join('test', beginning)));
}

/** Runs files one after the other. Who works on the same list at the same time takes from it, too. */
async function runInTurn(list: string[] = []): Promise<void> {
  for (let file = list.shift(); file !== undefined; file = list.shift()) await runFile(file);
}

/**
 * Files that failed have a second go, with nothing else running: on a busy machine one of a thousand tests may lose a race. The
 * sum counts the second go, and the end of the output tells of every test that failed at the first.
 */
async function runAgain(failed: string[]): Promise<void> {
  if (failed.length === 0 || failed.length > SECOND_GOES_MAX) return;
  report.note('\nOnce more, on their own:');
  for (const one of findMarkedProcesses(runId)) endProcess(one); // what a test that failed did not come to ending
  await runInTurn(failed);
}

async function runFile(file: string): Promise<void> {
  const fileReport = report.beginFile(file, chosen.length === 1);
  const timeout = new AbortController();
  const timers = [
    setTimeout(() => timeout.abort(), FILE_TIMEOUT_MS),
    setTimeout(() => killChildOf(file), FILE_TIMEOUT_MS + FILE_GRACE_MS),
  ];
  const events = run({ files: [file], cwd: root, isolation: 'process', concurrency: 1, signal: timeout.signal });
  for await (const event of events) fileReport.take(event);
  for (const timer of timers) clearTimeout(timer);
  fileReport.end(timeout.signal.aborted ? FILE_TIMEOUT_MS : undefined);
}

function killChildOf(file: string): void {
  for (const one of findMarkedProcesses(runId)) {
    if (one.parentPid === process.pid && one.commandLine.includes(file)) endProcess(one);
  }
}

async function checkNothingLeftRunning(): Promise<void> {
  const startMs = performance.now();
  let left = findMarkedProcesses(runId);
  while (left.length > 0 && performance.now() - startMs < LEFTOVER_GRACE_MS) {
    await new Promise((done) => setTimeout(done, 100));
    left = findMarkedProcesses(runId);
  }
  for (const one of left) endProcess(one);
  if (left.length === 0) return;
  const list = left.map((one) => `${one.pid} (parent ${one.parentPid}): ${one.commandLine}`);
  report.fail('nothing left running', `These processes outlived the tests and were killed:\n${list.join('\n')}`, 0);
}

function finish(): never {
  process.exit(report.finish() ? 0 : 1);
}
