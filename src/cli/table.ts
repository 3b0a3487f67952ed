// Tables and sheets for people: columns that line up and never make a line longer than the terminal, and colours where there are any.
// What a server says is shown without the control characters that it may have in it.

import { stripVTControlCharacters } from 'node:util';

/** How a text is to look. */
export interface Look {
  /** No line is longer; Infinity where nobody counts. */
  columns: number;
  colours: boolean;
  now: Date;
  /** What instances and other things are called, by their ids, where a table or a sheet shows them. */
  names?: ReadonlyMap<string, string>;
}

/** What a cell means, which is its colour. */
export type Tone = 'good' | 'busy' | 'bad' | 'dim' | 'bold';

/** What a cell shows; nothing is a dash. */
export type Cell = string | number | null | undefined | { text: string; tone: Tone | null };

/** One column of a table. */
export interface Column<Row> {
  title: string;
  cell(row: Row, look: Look): Cell;
  /** Where lines are too long, the column with the highest rank gives way first. Without a rank it gives way last. */
  rank?: number;
  /** Left out where there is no room for all of it, as half an id is none. It needs a rank. */
  whole?: boolean;
  /** Figures stand on the right. */
  right?: boolean;
}

const codes: Record<Tone, number> = { good: 32, busy: 33, bad: 31, dim: 2, bold: 1 };
const gap = 2;
/** A column is not made narrower than this: it is left out instead. */
const widthMin = 6;
/** A sheet's values begin at most this far to the right. */
const namesMax = 24;

/** A text in the colour of a tone. */
export function coloured(text: string, tone: Tone | null, { colours }: Look): string {
  return colours && tone !== null && text !== '' ? `\x1b[${codes[tone]}m${text}\x1b[0m` : text;
}

/** What turns the direction of writing round, so that a text reads as another one than it is (Unicode TR 36). */
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text of somebody else's as it may stand on a terminal, on one line. */
export const plainText = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(turning, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');

/** The same of several lines. */
export const plainLines = (text: string): string => text.split('\n').map(plainText).join('\n');

/** A value as JSON that may stand on a terminal: what JSON leaves as it is and terminals obey is written as numbers. */
export const plainJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

interface Shown {
  text: string;
  tone: Tone | null;
}

function shown(cell: Cell): Shown {
  const { text, tone } = typeof cell === 'object' && cell !== null ? cell : { text: String(cell ?? ''), tone: null };
  const plain = plainText(text);
  return plain === '' ? { text: '-', tone: 'dim' } : { text: plain, tone };
}

const widthOf = (text: string) => [...text].length;

/** Cut off to a width, with a sign that something is missing. */
function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Lines with aligned columns, below a line of titles. */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], look: Look): string {
  const cells = rows.map((row) => columns.map((column) => shown(column.cell(row, look))));
  const natural = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...cells.map((line) => widthOf(line[index]?.text ?? ''))),
  );
  const widths = fit(columns, natural, look.columns);
  const lineOf = (texts: readonly Shown[]) =>
    texts
      .flatMap(({ text, tone }, index) => {
        const width = widths[index] ?? 0;
        if (width === 0) return [];
        const short = cut(text, width);
        const pad = ' '.repeat(width - widthOf(short));
        const painted = coloured(short, tone, look);
        return [columns[index]?.right ? pad + painted : painted + pad];
      })
      .join(' '.repeat(gap))
      .trimEnd();
  const titles = columns.map(({ title }): Shown => ({ text: title.toUpperCase(), tone: 'bold' }));
  return [titles, ...cells].map((line) => `${lineOf(line)}\n`).join('');
}

/** How wide each column is to be; 0 leaves it out. */
function fit<Row>(columns: readonly Column<Row>[], natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  const total = () => {
    const there = widths.filter((width) => width > 0);
    return there.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, there.length - 1);
  };
  const order = columns
    .map(({ rank = 0 }, index) => ({ rank, index }))
    .sort((one, other) => other.rank - one.rank || other.index - one.index);
  for (const { index, rank } of order) {
    const excess = total() - room;
    if (excess <= 0) return widths;
    const width = widths[index] ?? 0;
    const least = Math.min(width, Math.max(widthMin, widthOf(columns[index]?.title ?? '')));
    widths[index] = Math.max(least, width - excess);
    const isCut = columns[index]?.whole === true && (widths[index] ?? 0) < width;
    if (rank > 0 && (isCut || total() > room)) widths[index] = 0;
  }
  // The last that are left may be wider still than a very small terminal.
  for (const { index } of order) {
    const excess = total() - room;
    if (excess > 0) widths[index] = Math.max(1, (widths[index] ?? 0) - excess);
  }
  return widths;
}

/** Lines of `name  value`, aligned; a long value goes on below itself. */
export function sheetOf(pairs: readonly (readonly [name: string, value: Cell])[], look: Look): string {
  const names = Math.min(namesMax, Math.max(...pairs.map(([name]) => widthOf(name))));
  const room = Math.max(widthMin, look.columns - names - gap);
  return pairs
    .map(([name, value]) => {
      const { text, tone } = shown(value);
      const lines = folded(text, room).map((line) => coloured(line, tone, look));
      return `${cut(name, names).padEnd(names + gap)}${lines.join(`\n${' '.repeat(names + gap)}`)}\n`;
    })
    .join('');
}

/** A text in lines of so many columns, broken at spaces where there are any. */
export function folded(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= room) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    let rest = [...word];
    for (; rest.length > room; rest = rest.slice(room)) lines.push(rest.slice(0, room).join(''));
    line = rest.join('');
  }
  return [...lines, line];
}

const minute = 60;
const units = [
  ['y', 365 * 24 * 60 * minute],
  ['d', 24 * 60 * minute],
  ['h', 60 * minute],
  ['min', minute],
  ['s', 1],
] as const;

/** How long ago a moment was, or how far ahead it is: `3 h ago`, `in 2 d`. */
export function relative(iso: string | null, { now }: Look): string {
  if (iso === null) return '';
  const seconds = Math.round((now.getTime() - Date.parse(iso)) / 1000);
  const [unit, size] = units.find((one) => Math.abs(seconds) >= one[1]) ?? ['s', 1];
  const span = `${Math.floor(Math.abs(seconds) / size)} ${unit}`;
  return seconds < 0 ? `in ${span}` : `${span} ago`;
}

/** A moment with how far away it is. */
export function moment(iso: string | null, look: Look): string {
  return iso === null ? '' : `${iso.slice(0, 16).replace('T', ' ')}Z (${relative(iso, look)})`;
}

/** A size in MiB as people say it. */
export function size(mib: number): string {
  if (mib < 1024) return `${mib} MiB`;
  const [value, unit] = mib < 1024 * 1024 ? [mib / 1024, 'GiB'] : [mib / (1024 * 1024), 'TiB'];
  return `${Number(value.toFixed(1))} ${unit}`;
}
