// How guessing is slowed: after some failed logins each further attempt has to wait, twice as long as the one before. Counted by
// user, since one may be guessed from many addresses, and by address, since one may guess many users. Where a user has logged in
// lately he is counted apart from there: else anybody could keep him out for good by failing as him.

/** What failed logins are counted by. */
export type FailureSource = 'user' | 'address';

/** People mistype; offices share an address. */
const freeFailures: Record<FailureSource, number> = { user: 10, address: 50 };
/** An attacker gets no more than some 1,400 guesses a day, and a user whom he annoys waits no longer than this. */
const waitMsMax = 60_000;
const waitMsMin = 1_000;
/** Failures that nothing followed for so long are forgotten. */
export const failuresKeptMs = 60 * 60 * 1000;
/** A place where a user has logged in is his for so long: who comes back from a holiday is not kept out by whoever guesses at him. */
export const placesKnownMs = 30 * 24 * 60 * 60 * 1000;

/** How long the next attempt has to wait after so many failures. */
export function waitMsAfter(source: FailureSource, failures: number): number {
  const counted = failures - freeFailures[source];
  return counted <= 0 ? 0 : Math.min(waitMsMin * 2 ** Math.min(counted - 1, 20), waitMsMax);
}
