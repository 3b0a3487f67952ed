// How a path or a filter of the Bytemark API names something: by its number or by its name.

/** A number as a bigint, or a name. */
export type Reference = bigint | string;

/** All digits are a number and everything else a name: so do the clients that this rule was made for. */
export function parseReference(text: string): Reference {
  return /^\d{1,18}$/.test(text) ? BigInt(text) : text;
}

/**
 * The character of a number: version 2.5 of Bytemark's client sends it in place of a network interface's number. What is no
 * character's number becomes the one that stands for such.
 */
export function characterOf(number: bigint): string {
  const isCharacter = number <= 0x10_ffffn && !(number >= 0xd800n && number <= 0xdfffn);
  return isCharacter ? String.fromCodePoint(Number(number)) : '\ufffd';
}
