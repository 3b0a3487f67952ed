// What a user's privileges come to at a moment: in a session of his, and through one of his API keys.

import { type Grant, mayAs } from '../model/privilege.ts';
import { holdsFor, holdsFrom, type Shown } from '../model/privilege-terms.ts';
import { grantOf, listPrivileges } from '../store/privilege.ts';
import type { Context } from './context.ts';

/** All that a user may ever do, under whichever terms. */
export async function allGrantsOf({ database }: Context, userId: string): Promise<Grant[]> {
  return (await listPrivileges(database, { userId, apiKeyId: null })).map(grantOf);
}

/** What a user may do who has shown this. */
export async function grantsOfUser({ database, clock }: Context, userId: string, shown: Shown): Promise<Grant[]> {
  const privileges = await listPrivileges(database, { userId, apiKeyId: null });
  const now = clock.now();
  return privileges.filter((privilege) => holdsFor(privilege, shown, now)).map(grantOf);
}

/**
 * What a user's API key may do: what was granted to the key, as far as its user holds as much now. A key shows no second
 * factor, so it has no part in what needs one.
 * @param from the address that the request comes from
 */
export async function grantsOfKey(
  { database }: Context,
  key: { id: string; userId: string },
  from: string,
): Promise<Grant[]> {
  const privileges = await listPrivileges(database, { userId: key.userId });
  const holding = privileges.filter((one) => !one.secondFactorRequired && holdsFrom(one, from));
  const users = holding.filter(({ apiKey }) => apiKey === null).map(grantOf);
  const granted = holding.filter(({ apiKey }) => apiKey?.id === key.id).map(grantOf);
  return granted.filter(({ level, ...place }) => mayAs(users, level, place));
}
