// How answers look: tables whose columns line up for people, JSON for programs. Amounts are decimal strings of US
// dollars, moments are ISO 8601.

/** A value of an answer as JSON with a line break at its end. */
export function toJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Lines with aligned columns. @param rows cells of each line, the heading not among them */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heading.map((cell) => cell.toUpperCase()), ...rows.map((row) => row.map((cell) => cell || '-'))];
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  return lines
    .map((line) => line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))))
    .map((cells) => `${cells.join('  ').trimEnd()}\n`)
    .join('');
}

/** Lines of `name  value`, aligned. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value || '-'}\n`).join('');
}

/** Characters, each taken to be as wide as any other. */
const widthOf = (text: string) => [...text].length;

/** A moment for people, in UTC; nothing for none. */
export function moment(date: Date | null): string {
  return date ? `${date.toISOString().slice(0, 16).replace('T', ' ')}Z` : '';
}

/** How long ago a moment was. */
export function ago(date: Date | null, now: Date): string {
  if (!date) return 'never';
  const seconds = Math.max(0, Math.round((now.getTime() - date.getTime()) / 1000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  for (const [unit, size] of units) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  return `${seconds} s ago`;
}
