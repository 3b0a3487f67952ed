// Users as they are shown, and how paths name them.

import Type, { type Static } from 'typebox';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { reachUser, type UserRow } from '../../app/user-directory.ts';
import { BerthError } from '../../model/errors.ts';
import { Id, parseId, readId, toId } from './id.ts';
import { Nullable, Shape, Text, Time, toTime } from './shape.ts';

/** A public key, as `authorized_keys` has it. */
export const sampleKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4cO74qmRZ+XiicQiA68i5Jlvl17TPunfSKhO3/L4q ann@example';

/** What a user is shown with. */
export const userFields = {
  id: Id('user'),
  username: Text('ann'),
  email: Nullable(Text('ann@example.com')),
  authorizedKeys: Type.Array(Text(sampleKey), { description: 'Public SSH keys, for consoles' }),
  secondFactor: Type.Boolean({ description: 'Whether a code is needed to log in', examples: [false] }),
  createdAt: Time(),
};

/** A user. */
export const UserSchema = Shape('User', userFields, 'A person, who may do what was granted to them');

/** A user as he is shown. */
export const toUser = (row: UserRow): Static<typeof UserSchema> => ({
  id: toId('user', row.id),
  username: row.username,
  email: row.email,
  authorizedKeys: [...row.authorizedKeys],
  secondFactor: row.hasSecondFactor,
  createdAt: toTime(row.createdAt),
});

/**
 * The user whom a path or a field names: by id, or `me` for who asks; in a field also by name.
 * @param field left out for a path
 * @throws BerthError `not_found` where there is none whom the caller may see, `forbidden` where he is nobody himself
 */
export async function userIn(context: Context, caller: Caller, ref: string, field?: string): Promise<UserRow> {
  if (ref === 'me') {
    if (caller.user) return reachUser(context, caller, { id: caller.user.id });
    throw new BerthError('forbidden', "An account's key is no user; log in, or use a user's key.");
  }
  if (field !== undefined && parseId('user', ref) === null) return reachUser(context, caller, ref);
  return reachUser(context, caller, { id: readId('user', ref, field) });
}
