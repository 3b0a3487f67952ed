// How the head of an HTTP answer is read: the few fields that a download depends on, each turned into a value or null.
// Nothing here reads the network except a short error text.

import type { DriverFailure } from '../driver.ts';
import { imageFailure, shownUrl } from './failure.ts';
import { type Answer, bodyStart } from './http-get.ts';

/** Statuses that say "not now" rather than "no". */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** What to tell the customer of an answer without an image in it. */
export function statusFailure(
  url: URL,
  answer: Pick<Answer, 'status' | 'statusText'>,
  reason: string | null,
): DriverFailure {
  // The reason phrase is the server's own text: only plain letters of it are repeated.
  const phrase = answer.statusText.replace(/[^\w '-]/g, '').slice(0, 40);
  const status = phrase ? `${answer.status} ${phrase}` : `${answer.status}`;
  return imageFailure(
    isTransientStatus(answer.status) ? 'image.unavailable' : 'image.http',
    `The image server answered ${status} for ${shownUrl(url)}${reason ? `: ${reason}` : '.'}`,
  );
}

/** Content-Length in bytes; null when it is not there. */
export function promisedBytes(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

/** Content-Range of a 206 answer; null when it can't be read. */
export function contentRange(header: string | undefined): { firstByte: number; totalBytes: number | null } | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header ?? '');
  if (!match) return null;
  return { firstByte: Number(match[1]), totalBytes: match[3] === '*' ? null : Number(match[3]) };
}

/** Retry-After, in either of its forms, as milliseconds from `now`; null when it is not there or can't be read. */
export function retryAfterMs(header: string | undefined, now: Date): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const moment = Date.parse(header);
  return Number.isNaN(moment) ? null : Math.max(0, moment - now.getTime());
}

/** A status text is a sentence; more is not for people. */
const statusTextLengthMax = 200;

/**
 * What Berth's own server says of an image that it makes: the step it is at, or why it failed. Both are null for the
 * answer of any other server.
 */
export async function buildStatus(answer: Answer): Promise<{ step: string | null; failed: string | null }> {
  const text = await bodyStart(answer, 4096, 5000);
  let found: { status?: unknown; step?: unknown; error?: unknown } | null;
  try {
    found = JSON.parse(text);
  } catch {
    return { step: null, failed: null };
  }
  const plain = (value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Cc}/gu, ' ').slice(0, statusTextLengthMax) : null;
  return {
    step: found?.status === 'building' ? plain(found.step) : null,
    failed: found?.status === 'failed' ? plain(found.error) : null,
  };
}
