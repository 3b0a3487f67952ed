// Who one is, and what one may do.

import Type from 'typebox';
import { privilegeLevels } from '../../model/privilege.ts';
import type { Api } from '../types.ts';
import { Id, toId } from './id.ts';
import { read } from './operation.ts';
import { Nullable, OneOf, Shape, Text } from './shape.ts';
import { toUserRef, UserRefSchema } from './user-ref.ts';

const GrantSchema = Shape('Grant', {
  level: OneOf(privilegeLevels, 'What may be done; each level holds for what is below its object, too'),
  account: Nullable(Id('account')),
  group: Nullable(Id('group')),
  instance: Nullable(Id('instance')),
});
const MeSchema = Shape('Me', {
  actor: Text('key:first', 'How events name who acted'),
  user: Nullable(UserRefSchema),
  grants: Type.Array(GrantSchema),
});

/** Adds the route. */
export function meRoutes(api: Api): void {
  read(
    api,
    { id: 'getMe', tag: 'me', summary: 'Who you are, and what you may do', path: '/me', result: MeSchema },
    async ({ caller: { actor, user, grants } }) => ({
      actor,
      user: user && toUserRef(user),
      grants: grants.map(({ level, accountId, groupId, instanceId }) => ({
        level,
        account: accountId === undefined ? null : toId('account', accountId),
        group: groupId === undefined ? null : toId('group', groupId),
        instance: instanceId === undefined ? null : toId('instance', instanceId),
      })),
    }),
  );
}
