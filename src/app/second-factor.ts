// Second factors as users set them up and take them away themselves. What is new holds once a code has shown that the app has it,
// so nobody locks himself out; and a session alone, which may be stolen, changes nothing of it.

import { BerthError } from '../model/errors.ts';
import { matchTotp, newTotpSecret, totpUri } from '../model/totp.ts';
import { inTransaction } from '../store/database.ts';
import { endSessions } from '../store/session.ts';
import { lockPendingTotp, updateTotpStep, updateUser } from '../store/user.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';
import { proveCode, provePassword } from './login.ts';
import { totpIssuer } from './user.ts';
import { requireRightOver, type UserRow } from './user-directory.ts';
import { tellOfUser } from './user-event.ts';

/** What proves again who it is, outside of the request's transaction, so that what failed stays counted. */
export interface Proof {
  outside: Context;
  /** The address that the request comes from. */
  from: string;
}

/**
 * Begins to set up a second factor, in place of one that was begun before.
 * @returns the secret, and the URI for an authenticator app; both are shown once
 * @throws BerthError `forbidden`, `wrong_state`, `invalid_value`, `too_many_requests`
 */
export async function beginSecondFactor(
  context: Context,
  caller: Caller,
  user: UserRow,
  currentPassword: string,
  proof: Proof,
): Promise<{ secret: string; uri: string }> {
  requireSelf(caller, user);
  if (user.hasSecondFactor) {
    throw new BerthError('wrong_state', 'You have a second factor already; take it away first.');
  }
  await requirePassword(proof, user, currentPassword);
  const secret = newTotpSecret(context.entropy);
  const totpPendingSealed = context.vault.seal(secret);
  await inTransaction(context.database, (tx) => updateUser(tx, user.id, { totpPendingSealed }));
  return { secret, uri: totpUri(secret, totpIssuer, user.username) };
}

/**
 * Ends setting up a second factor, with a code of it. It holds from then on; the user's other sessions end.
 * @throws BerthError `forbidden`, `wrong_state` where none was begun, `invalid_value`
 */
export async function confirmSecondFactor(
  context: Context,
  caller: Caller,
  user: UserRow,
  code: string,
): Promise<UserRow> {
  requireSelf(caller, user);
  await inTransaction(context.database, async (tx) => {
    const sealed = await lockPendingTotp(tx, user.id);
    if (!sealed) throw new BerthError('wrong_state', 'No second factor waits to be confirmed; begin to set one up.');
    const step = matchTotp(context.vault.open(sealed), code.trim(), context.clock.now(), null);
    if (step === null) throw wrongCode();
    await updateUser(tx, user.id, { totpSealed: sealed, totpPendingSealed: null });
    await updateTotpStep(tx, user.id, step);
    await endSessions(tx, user.id, caller.sessionId);
    await tellOfUser(context, tx, caller.actor, user, 'user.second_factor_set', 'got a second factor');
  });
  return { ...user, hasSecondFactor: true };
}

/**
 * Takes a second factor away: one's own with a code of it, another's as an operator who is above him.
 * @throws BerthError `forbidden`, `wrong_state`, `invalid_value`, `too_many_requests`
 */
export async function endSecondFactor(
  context: Context,
  caller: Caller,
  user: UserRow,
  code: string | undefined,
  { outside, from }: Proof,
): Promise<void> {
  await requireRightOver(context, caller, user);
  if (!user.hasSecondFactor) throw new BerthError('wrong_state', `${user.username} has no second factor.`);
  const isOwn = caller.user?.id === user.id;
  if (isOwn && code === undefined) throw new BerthError('invalid_value', 'code is missing; send one of it.', 'code');
  if (isOwn && !(await proveCode(outside, user, code ?? '', from))) throw wrongCode();
  await inTransaction(context.database, async (tx) => {
    await updateUser(tx, user.id, { totpSealed: null, totpPendingSealed: null });
    await endSessions(tx, user.id, isOwn ? caller.sessionId : undefined);
    const what = 'has no second factor any more';
    await tellOfUser(context, tx, caller.actor, user, 'user.second_factor_removed', what);
  });
}

/**
 * Holds a password to be the user's.
 * @throws BerthError `invalid_value`, `too_many_requests`
 */
export async function requirePassword({ outside, from }: Proof, user: UserRow, password: string): Promise<void> {
  if (await provePassword(outside, user.username, password, from)) return;
  throw new BerthError('invalid_value', 'currentPassword is not the password that you have.', 'currentPassword');
}

function requireSelf({ user, apiKeyId }: Caller, { id, username }: UserRow): void {
  if (user?.id === id && apiKeyId === null) return;
  throw new BerthError('forbidden', `Only ${username} in a session of their own may do this.`);
}

const wrongCode = () =>
  new BerthError('invalid_value', 'code is not a code that holds at this moment; each is taken once.', 'code');
