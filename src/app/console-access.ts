// Who may use a VM's consoles. One shows who he is at the console's own door, with a key or as in any other login, and then
// needs the privilege `vm_console` on the VM.

import { isDeepStrictEqual } from 'node:util';
import { may } from '../model/privilege.ts';
import type { Shown } from '../model/privilege-terms.ts';
import { findManagedVm, type ManagedVm } from '../store/management-address.ts';
import { findCredentials, findUser } from '../store/user.ts';
import type { Context } from './context.ts';
import { grantsOfUser } from './grants.ts';
import { type Login, logIn } from './login.ts';

/** Somebody who has shown who he is. */
export interface Visitor {
  userId: string;
  username: string;
  shown: Shown;
  /** Whether what he has shown would let him in now. */
  wouldDo(): Promise<boolean>;
}

/** Longer than any user's name. */
const usernameLengthMax = 64;

/** A user's public keys, one a line each; none where there is no such user. */
export async function keysOfUser({ database }: Context, username: string): Promise<readonly string[]> {
  if (username.length > usernameLengthMax) return [];
  return (await findUser(database, { username }))?.authorizedKeys ?? [];
}

/**
 * Somebody who has shown that he has one of a user's keys. That counts for the user's password: a key is what Bytemark's
 * clients tell people to use here.
 * @param isAmong whether it is one of some public keys
 */
export async function visitorByKey(
  context: Context,
  username: string,
  from: string,
  isAmong: (keys: readonly string[]) => boolean,
): Promise<Visitor | undefined> {
  const user = await findUser(context.database, { username });
  if (!user) return undefined;
  const authenticatedAt = context.clock.now();
  return {
    ...{ userId: user.id, username: user.username, shown: { factors: ['password'], authenticatedAt, from } },
    wouldDo: async () => isAmong(await keysOfUser(context, username)),
  };
}

/**
 * Somebody who has logged in.
 * @param code of the second factor, where it was asked for
 * @throws BerthError `too_many_requests`
 */
export async function visitorByPassword(
  context: Context,
  { username, password, code }: { username: string; password: string; code: string | undefined },
  from: string,
): Promise<Visitor | Exclude<Login['outcome'], 'accepted'>> {
  if (username.length > usernameLengthMax) return 'refused';
  const secondFactor = code === undefined ? undefined : ({ name: '2fa', code } as const);
  const login = await logIn(context, { username, password, secondFactor }, from);
  if (login.outcome !== 'accepted') return login.outcome;
  const { userId, factors, credentials } = login;
  return {
    ...{ userId, username, shown: { factors, authenticatedAt: context.clock.now(), from } },
    wouldDo: async () => isDeepStrictEqual(await findCredentials(context.database, username), credentials),
  };
}

/**
 * The VM whose consoles are at an address, if a visitor may use them now: a key that was taken away and another password end what
 * was begun with them, as they end sessions.
 */
export async function reachConsole(context: Context, visitor: Visitor, ip: string): Promise<ManagedVm | undefined> {
  const vm = await findManagedVm(context.database, ip);
  if (!vm) return undefined;
  const { accountId, groupId, instanceId } = vm;
  if (!(await visitor.wouldDo())) return undefined;
  const grants = await grantsOfUser(context, visitor.userId, visitor.shown);
  return may(grants, 'vm_console', { accountId, groupId, instanceId }) ? vm : undefined;
}
