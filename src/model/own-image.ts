// Images that accounts have beside the catalog: what they may be called, and what is known of them.

import { BerthError, shown } from './errors.ts';

/** Whether its URL was looked at, and leads to a disk image. Whether that hashes to what it should is seen on each host. */
export const ownImageStates = ['checking', 'ready', 'failed'] as const;

/** One of {@link ownImageStates}. */
export type OwnImageState = (typeof ownImageStates)[number];

/** What a disk image is, under whatever compresses it. */
export const imageFormats = ['qcow2', 'raw'] as const;

/** One of {@link imageFormats}. */
export type ImageFormat = (typeof imageFormats)[number];

/** An account's own image goes by this and its name, which no slug of the catalog and no URL of the web begins with. */
const ownPrefix = 'own:';

/** Each is a line of a list that people choose from. */
export const ownImagesMax = 50;
export const ownImageNameLengthMax = 63;
const namePattern = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** How an own image is named when an instance is made of it. */
export const ownImageSlug = (name: string): string => ownPrefix + name;

/** The name of the own image that a slug names, or null where it names none. */
export const ownNameOf = (slug: string): string | null =>
  slug.startsWith(ownPrefix) ? slug.slice(ownPrefix.length) : null;

/**
 * Checks an own image's name.
 * @returns it
 * @throws BerthError `invalid_value`
 */
export function checkOwnImageName(name: string, field: string): string {
  if (name.length <= ownImageNameLengthMax && namePattern.test(name)) return name;
  const rule = `a name has 1 to ${ownImageNameLengthMax} characters: letters, digits, and . _ - between them`;
  throw new BerthError('invalid_value', `${field} is ${shown(name)}; ${rule}.`, field);
}

/** As long as Linux has them, and of the characters that useradd takes; no shell and no ssh reads anything else into it. */
const loginPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/**
 * Checks the name of whom an own image's system lets in: people and programs put it into command lines.
 * @throws BerthError `invalid_value`
 */
export function checkImageLogin(username: string, field: string): string {
  if (loginPattern.test(username)) return username;
  const rule = 'a login has 1 to 32 characters: letters, digits, and _ . - after the first, which is a letter or _';
  throw new BerthError('invalid_value', `${field} is ${shown(username)}; ${rule}.`, field);
}

/**
 * Checks what an own image's distribution is called: a line for people to read.
 * @throws BerthError `invalid_value`
 */
export function checkDistribution(distribution: string, field: string): string {
  if (!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(distribution) && distribution.trim() !== '') return distribution;
  throw new BerthError('invalid_value', `${field} is ${shown(distribution)}; it must be a text of one line.`, field);
}

/**
 * Checks a SHA-256.
 * @returns it in small letters
 * @throws BerthError `invalid_value`
 */
export function checkSha256(text: string, field: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  const rule = "the SHA-256 of the image's file is 64 hexadecimal digits, as sha256sum prints it";
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}

/** Why an own image can't be used now, to follow its name; null where it can. */
export function whyUnusable({ state, reason }: { state: OwnImageState; reason: string | null }): string | null {
  if (state === 'ready') return null;
  return state === 'checking' ? 'is still being checked; wait until it is ready' : `can't be used: ${reason}`;
}
