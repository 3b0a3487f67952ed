// How other nouns name a user.

import type { Static } from 'typebox';
import { Id, parseId, toId } from './id.ts';
import { Shape, Text } from './shape.ts';

/** A user, as others name him. */
export const UserRefSchema = Shape('UserRef', { id: Id('user'), username: Text('ann') });

/** {@link UserRefSchema} of a user. */
export const toUserRef = ({ id, username }: { id: string; username: string }): Static<typeof UserRefSchema> => ({
  id: toId('user', id),
  username,
});

/** How a field names a user: by id, or by name. */
export const UserName = (description = 'Id or name of a user') => Text('ann', description, { maxLength: 200 });

/** What a caller means by {@link UserName}. */
export const userBy = (text: string): { id: string } | { username: string } => {
  const id = parseId('user', text);
  return id === null ? { username: text } : { id };
};
