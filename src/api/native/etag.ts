// The tag of what a caller has seen. It is a hash of what is shown, so whatever changes what is shown changes the tag.

import { hash } from 'node:crypto';
import { BerthError } from '../../model/errors.ts';

/**
 * The tag of a body. Its keys are taken in the order in which they are: one function writes each shape, and putting them in order
 * took a quarter of the time of a page of instances.
 */
export const etagOf = (body: unknown): string => tagOf(JSON.stringify(body) ?? '');

/** The tag of what is written already. */
export const tagOf = (text: string): string => `"${hash('sha256', text, 'base64url').slice(0, 27)}"`;

/** Whether a header that lists tags names this one. */
export function namesTag(header: string, tag: string): boolean {
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag);
}

/**
 * Holds what is there to be what the caller has seen.
 * @throws BerthError `precondition_failed`
 */
export function requireTag(header: string, body: unknown): void {
  const tag = etagOf(body);
  if (namesTag(header, tag)) return;
  const message = `If-Match is ${header.slice(0, 100)}, but its ETag is ${tag} now: it was changed since you read it.`;
  throw new BerthError('precondition_failed', message, 'If-Match');
}
