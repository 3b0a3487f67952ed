// Who calls, by the token that he bears: a session's, or `apikey.` and an API key's; and what he may do.

import { BerthError } from '../model/errors.ts';
import type { Grant } from '../model/privilege.ts';
import { findPrincipalByKey, findUserByKey, type KeyRef } from '../store/api-key.ts';
import { noteKeyUse, sha256 } from './authenticate.ts';
import type { Context } from './context.ts';
import { grantsOfKey, grantsOfUser } from './grants.ts';
import { useSession } from './session.ts';

/** Who calls, and what he was granted. */
export interface Caller {
  /** How he is named in events, such as `user:alice`. */
  actor: string;
  grants: readonly Grant[];
  /** The user that he is; null for an account's own key. */
  user: { id: string; username: string } | null;
  /** The key of this user's that he comes with; null for a user's session, and for an account's own key. */
  apiKeyId: string | null;
  /** The account's own key that he comes with; left out where he comes with none. */
  accountKeyId?: string;
  /** The session that he comes in; left out where he comes with a key. */
  sessionId?: string;
}

/** What somebody has shown, by its id: to be looked at again without it. */
export type ShownRef = { sessionId: string } | { keyId: string };

/** What a caller has shown. */
export function shownBy({ sessionId, apiKeyId, accountKeyId }: Caller): ShownRef {
  if (sessionId !== undefined) return { sessionId };
  const keyId = apiKeyId ?? accountKeyId;
  if (keyId === undefined) throw new Error('A caller has shown neither a session nor a key.');
  return { keyId };
}

/**
 * Somebody as he is now, by what he has shown before.
 * @throws BerthError `unauthenticated` when that is worth nothing any more
 */
export async function callerAgain(context: Context, ref: ShownRef, from: string): Promise<Caller> {
  const caller =
    'sessionId' in ref
      ? await callerBySession(context, { id: ref.sessionId }, from)
      : await callerByKey(context, { id: ref.keyId }, from);
  if (!caller) throw new BerthError('unauthenticated', 'The API key or session that opened this has ended.');
  return caller;
}

/**
 * Who shows this token.
 * @param from the address that the request comes from
 * @throws BerthError `unauthenticated` when the token is missing, unknown, revoked or expired, always in the same words
 */
export async function authenticateBearer(context: Context, token: string | undefined, from: string): Promise<Caller> {
  const key = /^apikey\.(.+)$/.exec(token ?? '')?.[1];
  const caller = key
    ? await callerByKey(context, { secretSha256: sha256(key) }, from)
    : token && (await callerBySession(context, token, from));
  if (!caller) throw new BerthError('unauthenticated', 'There is no such API key or session.');
  return caller;
}

async function callerBySession(
  context: Context,
  by: string | { id: string },
  from: string,
): Promise<Caller | undefined> {
  const session = await useSession(context, by);
  if (!session) return undefined;
  const { id: sessionId, userId, username } = session;
  const grants = await grantsOfUser(context, userId, { ...session, from });
  return { actor: `user:${username}`, grants, user: { id: userId, username }, apiKeyId: null, sessionId };
}

async function callerByKey(context: Context, by: KeyRef, from: string): Promise<Caller | undefined> {
  const now = context.clock.now();
  const account = await findPrincipalByKey(context.database, by, now);
  if (account) {
    await noteKeyUse(context, account.key);
    const { accountId, actor, scope } = account.principal;
    const level = scope === 'full' ? 'account_admin' : 'vm_console';
    return { actor, grants: [{ level, accountId }], user: null, apiKeyId: null, accountKeyId: account.key.id };
  }
  const found = await findUserByKey(context.database, by, now);
  if (!found) return undefined;
  await noteKeyUse(context, found);
  const { id, userId, username, label } = found;
  const grants = await grantsOfKey(context, { id, userId }, from);
  return { actor: `user:${username}/${label}`, grants, user: { id: userId, username }, apiKeyId: id };
}
