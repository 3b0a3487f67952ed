// Webhooks: of what an account can ask to be told, where to, and how long and how often a delivery is tried. (Hiveon API:
// webhooks; where it is silent, the policy is ours and stands in docs/webhooks.md.)

import { isIP } from 'node:net';
import { BerthError, shown } from './errors.ts';
import { checkKind } from './event-kind.ts';
import { endpointOf, isPublicAddress } from './public-address.ts';

/** What can be told. Each registration is for one of them. */
export const webhookEventTypes = [
  'slot.created',
  'slot.updated',
  'slot.removed',
  'deployment.created',
  'deployment.updated',
  'deployment.stopped',
] as const;

/** One of {@link webhookEventTypes}. */
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** Kinds of one webhook; a few say all. */
export const webhookKindsMax = 20;
const everything = '*';

/**
 * Checks which kinds of events are to be told: each with those below it, or `*` for all.
 * @returns each of them once
 * @throws BerthError `invalid_value`
 */
export function checkWebhookKinds(kinds: readonly string[], field: string): string[] {
  if (kinds.length === 0 || kinds.length > webhookKindsMax) {
    throw refuse(field, `${field} has ${kinds.length} kinds; name from 1 to ${webhookKindsMax} of them, or *.`);
  }
  return [...new Set(kinds.map((kind, index) => (kind === everything ? kind : checkKind(kind, `${field}[${index}]`))))];
}

/** How a delivery stands: still to be made, made, or given up. */
export const deliveryStates = ['pending', 'delivered', 'dead'] as const;

/** One of {@link deliveryStates}. */
export type DeliveryState = (typeof deliveryStates)[number];

/** Registrations of one account; each costs a row for every event of its type. */
export const webhooksMax = 100;
/** URLs longer than this are refused by common servers. */
const urlLengthMax = 2048;
const secretLengthMax = 255;

const secondMs = 1_000;
const hourMs = 60 * 60 * secondMs;
const retryBaseMs = secondMs;
const retryMaxMs = hourMs;
/** A receiver that is away for a night and a day misses nothing. */
const retriedMsMax = 24 * hourMs;

const refuse = (field: string, message: string) => new BerthError('invalid_value', message, field);

/**
 * Checks where deliveries are to go, as far as it can be told without asking for the name's addresses.
 * @param allowed `HOST:PORT` of receivers that may have a private address
 * @returns the URL in its normal form
 * @throws BerthError `invalid_value`
 */
export function checkCallbackUrl(text: string, allowed: ReadonlySet<string>, field: string): URL {
  const url = URL.parse(text);
  // Before all else, because the other messages repeat the URL.
  if (url?.username || url?.password) {
    throw refuse(field, `${field} has a user name or password in it; deliveries are signed instead.`);
  }
  const fail = (why: string) => refuse(field, `${field} is ${shown(text)}; ${why}`);
  if (Math.max(text.length, url?.href.length ?? 0) > urlLengthMax)
    throw fail(`a URL has at most ${urlLengthMax} characters.`);
  if (!url) throw fail('it must be a URL such as https://hooks.example.com/berth.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw fail('its scheme must be https or http.');
  url.hash = '';
  if (!allowed.has(endpointOf(url)) && isPrivate(url.hostname.replace(/^\[|\]$/g, ''))) {
    throw fail('that is a private address; deliveries go to public ones only.');
  }
  return url;
}

const isPrivate = (host: string) => (isIP(host) === 0 ? /(^|\.)localhost\.?$/i.test(host) : !isPublicAddress(host));

/**
 * Checks a secret that deliveries are to be signed with.
 * @throws BerthError `invalid_value`; the message does not repeat it
 */
export function checkWebhookSecret(secret: string, field: string): string {
  if (secret.length >= 1 && secret.length <= secretLengthMax && secret.isWellFormed()) return secret;
  const rule = `it has from 1 to ${secretLengthMax} characters; leave it out to have one made`;
  throw refuse(field, `${field} has ${secret.length} characters; ${rule}.`);
}

/** Whether a status says that the receiver has taken a delivery. */
export function isTaken(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Whether a status says "not now" rather than "no". */
export function isWorthRetrying(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/**
 * When a delivery that has failed is tried again: after a second, then twice as long each time, an hour at most.
 * @param attempts how often it was tried
 * @param waitingSince when it happened, or was sent again
 * @returns null when it has been tried for long enough
 */
export function retryAt(attempts: number, waitingSince: Date, now: Date): Date | null {
  if (now.getTime() - waitingSince.getTime() >= retriedMsMax) return null;
  return new Date(now.getTime() + Math.min(retryBaseMs * 2 ** (attempts - 1), retryMaxMs));
}
