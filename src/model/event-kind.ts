// Kinds of events: words with dots between them, from the general to the particular, such as `instance.active`.

import { BerthError, shown } from './errors.ts';

/** As long as an event's kind may be. */
export const kindLengthMax = 64;
const kindPattern = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$/;

/** Whether a kind is the one that is wanted, or one below it: `instance.active` is below `instance`. */
export function isOfKind(kind: string, wanted: string): boolean {
  return kind === wanted || kind.startsWith(`${wanted}.`);
}

/**
 * Checks a kind that somebody wants to be told of.
 * @returns it
 * @throws BerthError `invalid_value`
 */
export function checkKind(text: string, field: string): string {
  if (text.length <= kindLengthMax && kindPattern.test(text)) return text;
  const rule = `a kind has small letters, digits, - and _ in words with dots between them, ${kindLengthMax} characters at most`;
  throw new BerthError(
    'invalid_value',
    `${field} is ${shown(text)}; ${rule}, such as instance or instance.active.`,
    field,
  );
}
