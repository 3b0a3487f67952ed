// Users as Bytemark's clients read them.

import Type, { type Static } from 'typebox';
import type { UserRow } from '../../app/user-directory.ts';
import { IdSchema, mediaType, Nullable } from './shape.ts';

export const UserSchema = Type.Object({
  id: IdSchema,
  type: Type.String(),
  username: Type.String(),
  email: Nullable(Type.String()),
  authorized_keys: Nullable(Type.String({ description: 'Public SSH keys, a line each' })),
});

/** A user in this dialect. Without keys it is null: clients take an empty text for one empty key. */
export function toUser({ number, username, email, authorizedKeys }: UserRow): Static<typeof UserSchema> {
  const keys = authorizedKeys.length === 0 ? null : authorizedKeys.join('\n');
  return { id: Number(number), type: mediaType('user'), username, email, authorized_keys: keys };
}
