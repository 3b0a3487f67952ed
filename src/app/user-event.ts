// Telling of what happened to a user: each account that he has to do with, or the operator alone where there is none.

import type { Database, Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { listPrivileges } from '../store/privilege.ts';
import type { Context } from './context.ts';

/** The accounts that a user has privileges on, or on anything in. */
export async function accountsOf(database: Database, userId: string): Promise<string[]> {
  const privileges = await listPrivileges(database, { userId });
  return [...new Set(privileges.flatMap(({ account }) => account?.id ?? []))];
}

/**
 * Writes that something happened to a user.
 * @param what such as `was removed`, as it follows his name
 */
export async function tellOfUser(
  context: Context,
  tx: Tx,
  actor: string,
  user: { id: string; username: string },
  kind: string,
  what: string,
): Promise<void> {
  const accountIds = await accountsOf(tx, user.id);
  const { username } = user;
  await insertEvents(
    tx,
    (accountIds.length > 0 ? accountIds : [null]).map((accountId) => ({
      ...{ accountId, instanceId: null, hostId: null, kind, message: `User ${username} ${what}.`, actor },
      ...{ data: { username }, createdAt: context.clock.now() },
    })),
  );
}
