// How commands end: what went wrong as a sentence with what to do next, and an exit code that a program can go by.

import {
  AccessError,
  BerthError,
  ConflictError,
  ConnectionError,
  InvalidError,
  NotFoundError,
  RateLimitError,
  RefusedError,
  StaleError,
} from '../../sdk/error.ts';

/** Exit codes, as `berth --help` lists them. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  access: 3,
  notFound: 4,
  conflict: 5,
  unreachable: 6,
  /** As shells have it for Ctrl-C. */
  interrupted: 130,
} as const;

/** The command line itself is wrong. */
export class UsageError extends Error {}
/** Nothing of this name is there. */
export class NotThereError extends Error {}
/** Nobody has logged in. */
export class NobodyError extends Error {}
/** The time that was given is up. */
export class TimeUpError extends Error {}

/** What to do about an error, where there is something that the error itself does not say. */
const hints: Partial<Record<string, string>> = {
  unauthenticated: '"berth login" logs in anew.',
  forbidden: '"berth me" shows as whom you ask.',
  insufficient_balance: '"berth balance" shows what there is; who runs this Berth credits accounts.',
  no_suitable_offer: '"berth offer explain" with the same options says why, and what would work.',
  not_enough_offers: '"berth offer explain" with the same options says what would work.',
  second_factor_needed: 'A code of your second factor is needed: --code.',
  too_many_requests: 'Wait a little, and ask less often.',
};

/** The market has nothing now, which is no fault of the command line's. */
const conflicts: ReadonlySet<string> = new Set(['no_suitable_offer', 'not_enough_offers']);

/** The lines that tell of an error. */
export function sentenceOf(error: unknown): string {
  if (error instanceof RefusedError) {
    const { errors = [], detail, parameter, pointer } = error.problem;
    const place = parameter ?? pointer?.replace(/^#\//, '');
    const told = place === undefined || detail.includes(place) ? detail : `${place}: ${detail}`;
    const all = errors.length > 1 ? errors.map((one) => `\n  ${one.detail}`).join('') : told;
    const hint = hints[error.code];
    return `${all}${hint ? `\n${hint}` : ''}`;
  }
  if (error instanceof ConnectionError) return `${error.message}\nIs Berth up, and is that its address?`;
  return error instanceof Error ? error.message : String(error);
}

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof RefusedError && conflicts.has(error.code)) return exitCodes.conflict;
  if (error instanceof UsageError || error instanceof InvalidError) return exitCodes.usage;
  if (error instanceof NotFoundError || error instanceof NotThereError) return exitCodes.notFound;
  if (error instanceof AccessError || error instanceof NobodyError) return exitCodes.access;
  if (error instanceof ConflictError || error instanceof StaleError) return exitCodes.conflict;
  if (error instanceof ConnectionError || error instanceof RateLimitError) return exitCodes.unreachable;
  if (error instanceof TimeUpError || (error instanceof BerthError && error.status >= 500))
    return exitCodes.unreachable;
  return exitCodes.failed;
}
