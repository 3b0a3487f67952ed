// What containers and the Engine say, made fit to be kept: a database takes neither control characters nor half a character.

/** The beginning of a text, or with a negative length its end, without what can't be kept. */
export function excerpt(text: string, length: number): string {
  const part = length < 0 ? text.slice(length) : text.slice(0, length);
  return part.replace(/[^\P{Cc}\n\t]/gu, '').toWellFormed();
}

/** The same on one line. */
export const oneLine = (text: string, length: number) => excerpt(text.replace(/\s+/g, ' ').trim(), length);
