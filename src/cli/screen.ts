// What a command that takes its time shows: lasting lines with the time since the start before them and, on a terminal,
// one living line below them. On anything but a terminal it writes plain lines, fewer of them, without colours.

import { stripVTControlCharacters } from 'node:util';

/** No line is wider, however wide the terminal. */
const columnsMax = 80;
const frameMs = 100;
/** Where no line can live, work that goes on is told this often. */
const plainEveryMs = 10_000;
const barCells = 24;

/** Where lines go; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
const codes: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** How far something is: a share from 0 to 1, and the figures as text. */
export interface Progress {
  share: number | null;
  figures: string;
}

/** Lines for a person. */
export class Screen {
  readonly #output: Output;
  readonly #startMs = performance.now();
  readonly #coloured: boolean;
  readonly #unicode: boolean;
  readonly #living: boolean;
  #activity: { text: () => string; of: string | undefined; sinceMs: number; toldMs: number } | null = null;
  #ticker: NodeJS.Timeout | null = null;
  #frame = 0;
  #drawn = false;

  /** @param environment NO_COLOR, TERM and the locale are read from it */
  constructor(output: Output, environment: NodeJS.ProcessEnv) {
    const { NO_COLOR = '', TERM, LC_ALL, LC_CTYPE, LANG } = environment;
    this.#output = output;
    this.#living = output.isTTY === true && TERM !== 'dumb';
    this.#coloured = this.#living && NO_COLOR === '';
    this.#unicode = this.#living && /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
  }

  /** Text in a style, where the terminal has any. */
  style(style: Style, text: string): string {
    return this.#coloured ? `\x1b[${codes[style]}m${text}\x1b[0m` : text;
  }

  /** One of two forms of a sign. */
  sign(unicode: string, ascii: string): string {
    return this.#unicode ? unicode : ascii;
  }

  /** A lasting line as it is. Too long a line is folded at spaces where `fold` says how far its rest is indented. */
  line(text = '', fold?: number): void {
    this.#erase();
    const lines = fold === undefined || !this.#living ? [text] : foldText(text, this.#columns(), fold);
    for (const line of lines) this.#output.write(`${line}\n`);
    this.#draw();
  }

  /** A lasting line about what has happened, with the time since the start. */
  event(text: string, sign: 'done' | 'note' | 'warning' | 'failed' = 'note'): void {
    const shown = {
      done: this.style('green', this.sign('✔', '+')),
      note: this.style('dim', this.sign('·', '-')),
      warning: this.style('yellow', '!'),
      failed: this.style('red', this.sign('✖', 'x')),
    }[sign];
    this.line(`${this.style('dim', this.#clock())}  ${shown} ${text}`, 11);
  }

  /** A heading between two parts. */
  heading(text: string): void {
    this.line();
    this.line(this.style('bold', text));
    this.line();
  }

  /**
   * Says what goes on from now on, until the next call; null ends it. A function is asked again for each frame.
   * @param of of the same thing, other words are the same activity, which goes on: figures that grow, say
   */
  activity(text: string | (() => string) | null, of?: string): void {
    this.#erase();
    if (text === null) {
      this.#activity = null;
      if (this.#ticker) clearInterval(this.#ticker);
      this.#ticker = null;
      return;
    }
    const ask = typeof text === 'string' ? () => text : text;
    // The same words again are the same activity, which goes on.
    const before = this.#activity;
    const goesOn = before !== null && (before.text() === ask() || (of !== undefined && before.of === of));
    const { sinceMs, toldMs } = goesOn ? before : { sinceMs: performance.now(), toldMs: Number.NEGATIVE_INFINITY };
    this.#activity = { text: ask, of, sinceMs, toldMs };
    this.#ticker ??= setInterval(() => this.#tick(), frameMs);
    this.#ticker.unref();
    this.#tick();
  }

  /** A bar with figures behind it; without a known end, the figures alone. */
  bar({ share, figures }: Progress): string {
    if (share === null) return figures;
    const full = Math.round(Math.min(1, Math.max(0, share)) * barCells);
    const cells = this.sign('█', '#').repeat(full) + this.style('dim', this.sign('░', '.').repeat(barCells - full));
    return `${cells} ${figures}`;
  }

  #tick(): void {
    this.#frame += 1;
    const activity = this.#activity;
    if (activity && !this.#living && performance.now() - activity.toldMs >= plainEveryMs) {
      activity.toldMs = performance.now();
      this.#output.write(`${this.#clock()}  - ${activity.text()}`.slice(0, columnsMax).concat('\n'));
    }
    this.#draw();
  }

  #draw(): void {
    if (!this.#living || !this.#activity) return;
    const spinner = this.sign('⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏', '|/-\\');
    const sign = this.style('cyan', spinner[this.#frame % spinner.length] ?? '');
    const seconds = Math.floor((performance.now() - this.#activity.sinceMs) / 1_000);
    const waiting = seconds < 1 ? '' : this.style('dim', ` ${seconds} s`);
    const room = this.#columns() - 11 - stripVTControlCharacters(waiting).length - 1;
    const text = this.#activity.text();
    const shown = stripVTControlCharacters(text).length > room ? stripVTControlCharacters(text).slice(0, room) : text;
    this.#output.write(`\r\x1b[K${this.style('dim', this.#clock())}  ${sign} ${shown}${waiting}`);
    this.#drawn = true;
  }

  #erase(): void {
    if (this.#drawn) this.#output.write('\r\x1b[K');
    this.#drawn = false;
  }

  #clock(): string {
    return `${((performance.now() - this.#startMs) / 1_000).toFixed(1)} s`.padStart(8);
  }

  #columns(): number {
    // A terminal that nobody has told its size says 0.
    return Math.min(this.#output.columns || columnsMax, columnsMax);
  }
}

/** A text in lines of so many columns, broken at spaces; a longer word stays whole. */
function foldText(text: string, columns: number, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const part of text.split(/(?<=\S) (?=\S)/)) {
    const longer = line === '' ? part : `${line} ${part}`;
    if (line !== '' && stripVTControlCharacters(longer).length > columns) {
      lines.push(line);
      line = ' '.repeat(indent) + part;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
