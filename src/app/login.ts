// Logging in: a user's password, and the code of his second factor where he has one. Guessing is slowed in the database, so by
// all servers together; what was typed is neither logged nor kept. Where a user has logged in before, he is counted apart, so that
// strangers who guess at him elsewhere keep him from nothing.

import { BerthError } from '../model/errors.ts';
import { type FailureSource, failuresKeptMs, placesKnownMs, waitMsAfter } from '../model/login-limit.ts';
import { passwordLengthMax, verifyPassword } from '../model/password.ts';
import type { Factor } from '../model/session.ts';
import { matchTotp } from '../model/totp.ts';
import { Turns } from '../model/turns.ts';
import { inTransaction } from '../store/database.ts';
import {
  blockSource,
  clearFailures,
  countFailure,
  isKnownPlace,
  rememberPlace,
  takeFailureBack,
} from '../store/login-failure.ts';
import { type CredentialsRow, findCredentials, lockTotp, updateTotpStep } from '../store/user.ts';
import { sha256 } from './authenticate.ts';
import type { Context } from './context.ts';

/** What somebody logs in with. */
export interface Credentials {
  username: string;
  password: string;
  /** The code of a second factor, and what the client calls it. */
  secondFactor?: { name: '2fa' | 'yubikey'; code: string } | undefined;
}

/**
 * How a login ended. A missing second factor is told only to who knows the password. `credentials` are what he was held against:
 * who lets him stay holds them to be so still.
 */
export type Login =
  | { outcome: 'accepted'; userId: string; factors: Factor[]; credentials: CredentialsRow }
  | { outcome: 'second-factor-missing' }
  | { outcome: 'refused' };

/** Each takes 19 MiB and one of the four threads that files and names are looked up with, too. */
const verifications = new Turns(2);
const turnTimeoutMs = 5_000;

/**
 * Checks a login.
 * @param from the address that it comes from
 * @throws BerthError `too_many_requests` when the user or the address has failed too often, or too many log in at once
 */
export async function logIn(context: Context, credentials: Credentials, from: string): Promise<Login> {
  const { username } = credentials;
  const sources = await sourcesOf(context, username, from);
  // Noted as failed beforehand, so that a hundred guesses at once are a hundred guesses.
  const noted = await noteAttempt(context, sources);
  const login = await check(context, credentials);
  if (login.outcome !== 'refused') await takeBack(context, noted, login.outcome);
  if (login.outcome === 'accepted') {
    const until = new Date(context.clock.now().getTime() + placesKnownMs);
    await rememberPlace(context.database, placeOf(username, from), until);
  }
  return login;
}

/**
 * Whether this is the password of a user who has logged in already. Guessing is slowed as at a login.
 * @param context no transaction's: what failed stays counted
 * @throws BerthError `too_many_requests`
 */
export function provePassword(context: Context, username: string, password: string, from: string): Promise<boolean> {
  return prove(
    context,
    username,
    from,
    async () => (await check(context, { username, password })).outcome !== 'refused',
  );
}

/** {@link provePassword} of a code of his second factor, which is taken by this. */
export function proveCode(
  context: Context,
  { id, username }: { id: string; username: string },
  code: string,
  from: string,
): Promise<boolean> {
  return prove(context, username, from, () => takeCode(context, id, code));
}

async function prove(
  context: Context,
  username: string,
  from: string,
  isRight: () => Promise<boolean>,
): Promise<boolean> {
  const noted = await noteAttempt(context, await sourcesOf(context, username, from));
  const isProven = await isRight();
  // As at a login of which a part is right: it takes back itself and nothing else.
  if (isProven) await takeBack(context, noted, 'second-factor-missing');
  return isProven;
}

async function check(context: Context, { username, password, secondFactor }: Credentials): Promise<Login> {
  const user = await findCredentials(context.database, username);
  const isRight = await verify(password, user?.passwordHash ?? null);
  if (!user || !isRight) return { outcome: 'refused' };
  const accepted = { outcome: 'accepted', userId: user.id, credentials: user } as const;
  if (!user.hasSecondFactor && !secondFactor) return { ...accepted, factors: ['password'] };
  if (!secondFactor) return { outcome: 'second-factor-missing' };
  if (!(await takeCode(context, user.id, secondFactor.code))) return { outcome: 'refused' };
  return { ...accepted, factors: ['password', secondFactor.name] };
}

async function verify(password: string, hash: string | null): Promise<boolean> {
  const signal = AbortSignal.timeout(turnTimeoutMs);
  try {
    // What is longer than any password costs no more than one.
    return await verifications.run(() => verifyPassword(password.slice(0, passwordLengthMax + 1), hash), signal);
  } catch (error) {
    if (error !== signal.reason) throw error;
    throw new BerthError('too_many_requests', 'Too many log in at this moment; try again in some seconds.');
  }
}

/** Takes a code, once. @returns false when it is wrong, over, taken already, or the user has no second factor */
function takeCode(context: Context, userId: string, code: string): Promise<boolean> {
  return inTransaction(context.database, async (tx) => {
    const totp = await lockTotp(tx, userId);
    if (!totp) return false;
    const step = matchTotp(context.vault.open(totp.sealed), code.trim(), context.clock.now(), totp.takenStep);
    if (step !== null) await updateTotpStep(tx, userId, step);
    return step !== null;
  });
}

/** Always in this order, so that two attempts never wait for each other. */
type Sources = readonly [FailureSource, sha256: Uint8Array][];

async function sourcesOf({ database, clock }: Context, username: string, from: string): Promise<Sources> {
  const isKnown = await isKnownPlace(database, placeOf(username, from), clock.now());
  return [
    ['address', sha256(`address ${networkOf(from)}`)],
    ['user', sha256(isKnown ? `known ${networkOf(from)} ${username}` : `user ${username}`)],
  ];
}

/** Where a user has logged in, as it is kept. */
const placeOf = (username: string, from: string) => sha256(`place ${networkOf(from)} of ${username}`);

/** Who has one IPv6 address has the 2^64 of its network. */
function networkOf(address: string): string {
  if (!address.includes(':') || /^::ffff:\d+\./.test(address)) return address;
  const [head = '', tail] = address.split('::');
  const [front, back] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = tail === undefined ? 0 : 8 - (front?.length ?? 0) - (back?.length ?? 0);
  return [...(front ?? []), ...Array<string>(zeros).fill('0'), ...(back ?? [])].slice(0, 4).join(':');
}

/** An attempt as it was counted by one of its sources, and until when that made the next one wait, if it did. */
interface Noted {
  source: FailureSource;
  sourceSha256: Uint8Array;
  waitsUntil: Date | null;
}

async function noteAttempt(context: Context, sources: Sources): Promise<Noted[]> {
  const now = context.clock.now();
  const keptSince = new Date(now.getTime() - failuresKeptMs);
  return inTransaction(context.database, async (tx) => {
    const noted: Noted[] = [];
    for (const [source, sourceSha256] of sources) {
      const { count, blockedUntil } = await countFailure(tx, sourceSha256, now, keptSince);
      if (blockedUntil && blockedUntil > now) {
        const seconds = Math.ceil((blockedUntil.getTime() - now.getTime()) / 1000);
        const message = `Too many logins have failed; try again in ${seconds} s.`;
        throw new BerthError('too_many_requests', message);
      }
      const waitsUntil = endOfWait(source, count, now);
      await blockSource(tx, sourceSha256, waitsUntil);
      noted.push({ source, sourceSha256, waitsUntil });
    }
    return noted;
  });
}

/**
 * An accepted login ends what was held against its user, but of its address only what itself was counted as. No failure leaves
 * no wait: who has shown his password sends the code of his second factor right after it.
 */
async function takeBack(context: Context, noted: readonly Noted[], outcome: 'accepted' | 'second-factor-missing') {
  await inTransaction(context.database, async (tx) => {
    for (const { source, sourceSha256, waitsUntil } of noted) {
      if (outcome === 'accepted' && source === 'user') {
        await clearFailures(tx, sourceSha256);
        continue;
      }
      const left = await takeFailureBack(tx, sourceSha256, waitsUntil);
      if (left !== undefined && waitMsAfter(source, left) === 0) await blockSource(tx, sourceSha256, null);
    }
  });
}

/** Until when a source with so many failures has to wait; null where it need not. */
function endOfWait(source: FailureSource, failures: number, now: Date): Date | null {
  const waitMs = waitMsAfter(source, failures);
  return waitMs === 0 ? null : new Date(now.getTime() + waitMs);
}
