// Bytemark's call that makes a group with a network of a given number, for who runs the cluster. (Bytemark API: admin.)

import Type from 'typebox';
import { reachAccount, requireCluster } from '../../app/access.ts';
import { openGroup } from '../../app/group.ts';
import { InvalidFields } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { GroupSchema, toGroup } from './group-shape.ts';
import { Attribute } from './shape.ts';

/** Adds the route. */
export function adminGroupRoutes({ app, context, errors }: Api): void {
  app.post(
    '/admin/groups',
    {
      schema: {
        operationId: 'createGroupWithVlan',
        summary: 'Make a group in any account, with the network of a number where one is given',
        body: Type.Object({
          account_spec: Attribute("The account's number or name"),
          group_name: Attribute('Text'),
          vlan_num: Attribute('A number from 1 to 16777215 that no other group has'),
        }),
        response: { 200: GroupSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      requireCluster(caller);
      const attributes = attributesOf(request.body);
      const account = attributes.filledText('account_spec');
      const name = attributes.filledText('group_name');
      const vlanNumber = attributes.number('vlan_num');
      attributes.requireReadable();
      if (account === undefined) throw new InvalidFields({ account_spec: ["can't be blank"] });
      const at = await reachAccount(context, caller, account, 'cluster_admin');
      const fields = { name: 'group_name', vlanNumber: 'vlan_num' };
      return toGroup(await openGroup(context, at, { name, vlanNumber }, fields));
    },
  );
}
