// Sessions: how long they last, and what was shown to open them.

/** A way to show who one is. `yubikey` and `2fa` are both the code of a second factor, by what the client calls it. */
export const factors = ['password', 'yubikey', '2fa', 'impersonated'] as const;

/** One of {@link factors}. */
export type Factor = (typeof factors)[number];

const validitySecondsDefault = 300;
/** Longer ones would need a bound of their own. As long as the schema holds. */
export const validitySecondsMax = 3_600;
/** However much it is used, whoever has a session shows again who he is after that long: a month, as people are used to. */
export const sessionMsMax = 30 * 24 * 3_600_000;
/** An end is put off by no less than this, so that a busy session is not written at each of its calls. */
const extensionMsMin = 30_000;

/**
 * How long a session lasts that is not used: what was asked for, as far as it may be.
 * @param asked seconds; none means the default
 */
export function validityOf(asked: number | undefined): number {
  return Math.min(Math.max(Math.trunc(asked ?? validitySecondsDefault), 1), validitySecondsMax);
}

/** What the end of a session follows from. */
interface Terms {
  /** When its user showed who he is. */
  authenticatedAt: Date;
  validitySeconds: number;
}

/** When a session ends that is used now and never again. */
export function expiryOf({ authenticatedAt, validitySeconds }: Terms, now: Date): Date {
  return new Date(Math.min(now.getTime() + validitySeconds * 1000, authenticatedAt.getTime() + sessionMsMax));
}

/** {@link expiryOf} a session that has an end already; null where that is as good. */
export function extendedExpiry(session: Terms & { expiresAt: Date }, now: Date): Date | null {
  const end = expiryOf(session, now);
  const gainedMs = end.getTime() - session.expiresAt.getTime();
  return gainedMs >= Math.min(extensionMsMin, session.validitySeconds * 100) ? end : null;
}

/** Whether a second factor was shown. */
export function hasSecondFactor(shown: readonly Factor[]): boolean {
  return shown.includes('2fa') || shown.includes('yubikey');
}
