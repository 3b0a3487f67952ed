// Sessions: how long they last, and what was shown to open them.

/** A way to show who one is. `yubikey` and `2fa` are both the code of a second factor, by what the client calls it. */
export const factors = ['password', 'yubikey', '2fa', 'impersonated'] as const;

/** One of {@link factors}. */
export type Factor = (typeof factors)[number];

const validitySecondsDefault = 300;
/** Longer ones would need a bound of their own. As long as the schema holds. */
export const validitySecondsMax = 3_600;
/** An end is put off by no less than this, so that a busy session is not written at each of its calls. */
const extensionMsMin = 30_000;

/**
 * How long a session lasts that is not used: what was asked for, as far as it may be.
 * @param asked seconds; none means the default
 */
export function validityOf(asked: number | undefined): number {
  return Math.min(Math.max(Math.trunc(asked ?? validitySecondsDefault), 1), validitySecondsMax);
}

/** When a session that is used now ends; null where the end that it has is as good. */
export function extendedExpiry(expiresAt: Date, validitySeconds: number, now: Date): Date | null {
  const validityMs = validitySeconds * 1000;
  const end = now.getTime() + validityMs;
  return end - expiresAt.getTime() >= Math.min(extensionMsMin, validityMs / 10) ? new Date(end) : null;
}

/** Whether a second factor was shown. */
export function hasSecondFactor(shown: readonly Factor[]): boolean {
  return shown.includes('2fa') || shown.includes('yubikey');
}
