// What an OS image's URL may look like, as far as it can be told without fetching it. What it really holds is checked by
// the agent, from its content.

import { BerthError, shown } from './errors.ts';

/** The endings that the Fluence API lists for `osImage`. */
export const imageEndings = ['.qcow2', '.img', '.raw', '.raw.xz', '.raw.gz', '.img.xz', '.img.gz'] as const;

/** One of {@link imageEndings}. */
export type ImageEnding = (typeof imageEndings)[number];

/** What an ISO image counts as, whatever its URL ends in. */
export const isoEnding = '.iso';

/** What a downloaded file has to be, said as the ending that promises it. */
export type ImagePromise = ImageEnding | typeof isoEnding;

/** URLs longer than this are refused by common servers. */
const urlLengthMax = 2048;

/** The ending of a URL's path, the longest one that fits, or null. */
export function imageEnding(url: URL): ImageEnding | null {
  const path = url.pathname.toLowerCase();
  const fitting = imageEndings.filter((ending) => path.endsWith(ending));
  return fitting.sort((a, b) => b.length - a.length)[0] ?? null;
}

/**
 * Checks an image URL: http or https, no user and password in it, a known ending.
 * @returns the URL in its normal form
 * @throws BerthError `invalid_value`
 */
export function checkImageUrl(text: string, field: string): URL {
  const url = checkPublicUrl(text, field);
  if (imageEnding(url)) return url;
  throw new BerthError(
    'invalid_value',
    `${field} is ${shown(text)}; its path must end in one of ${imageEndings.join(' ')}.`,
    field,
  );
}

/**
 * Checks the URL of something that is fetched as it is: http or https, and no user and password in it.
 * @returns the URL in its normal form
 * @throws BerthError `invalid_value`
 */
export function checkPublicUrl(text: string, field: string): URL {
  const fail = (why: string) => new BerthError('invalid_value', `${field} is ${shown(text)}; ${why}`, field);
  const url = URL.parse(text);
  // Before all else, because the other messages repeat the URL.
  if (url?.username || url?.password) {
    throw new BerthError(
      'invalid_value',
      `${field} has a user name or password in it; the image must be public.`,
      field,
    );
  }
  if (text.length > urlLengthMax) throw fail(`a URL has at most ${urlLengthMax} characters.`);
  if (!url) throw fail('it must be the URL of an image.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw fail('its scheme must be https or http.');
  url.hash = '';
  return url;
}
