// Privileges: what users may do with accounts, groups and VMs, and what their API keys may.

import Type from 'typebox';
import { reachAccount, reachGroup, reachVm } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import {
  changePrivilege,
  grantPrivilege,
  type PrivilegeFilter,
  pageOfPrivileges,
  readPrivilege,
  revokePrivilege,
} from '../../app/privilege.ts';
import { findKeyInSight } from '../../app/user-api-key.ts';
import { requireAnyUser } from '../../app/user-directory.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { type PrivilegeTerms, parseAddresses } from '../../model/privilege-terms.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountRef } from './account.ts';
import { Id, readId, sampleId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readNumberWindow, toPage } from './page.ts';
import { grantFields, PrivilegeSchema, readGrant, terms, toPrivilege } from './privilege-shape.ts';
import { Shape } from './shape.ts';
import { UserName, userBy } from './user-ref.ts';
import { userIn } from './user-shape.ts';

const path = '/privileges/{privilege}';
/** As the use cases call these fields. */
const renames = { api_key_id: 'apiKey', virtual_machine_id: 'instance' };
const optionalTerms = {
  secondFactorRequired: Type.Optional(terms.secondFactorRequired),
  secondFactorAgeSecondsMax: Type.Optional(terms.secondFactorAgeSecondsMax),
  fromAddresses: Type.Optional(terms.fromAddresses),
};

const find = (context: Context, caller: Caller, { privilege }: { privilege: string }) =>
  readPrivilege(context, caller, readId('privilege', privilege));

/** The terms that a request gives. @throws BerthError `invalid_value` */
function readTerms({
  fromAddresses,
  ...given
}: {
  secondFactorRequired?: boolean;
  secondFactorAgeSecondsMax?: number | null;
  fromAddresses?: string[] | null;
}): Partial<PrivilegeTerms> {
  if (fromAddresses === undefined) return given;
  if (fromAddresses === null || fromAddresses.length === 0) return { ...given, fromAddresses: null };
  const wrong = fromAddresses.findIndex((text) => /[\s,]/.test(text) || parseAddresses(text)?.length !== 1);
  if (wrong < 0) return { ...given, fromAddresses };
  const at = `fromAddresses[${wrong}]`;
  const message = `${at} is ${shown(fromAddresses[wrong])}; an address or range looks like 192.0.2.7 or 198.51.100.0/24.`;
  throw new BerthError('invalid_value', message, at);
}

/** Adds the routes. */
export function privilegeRoutes(api: Api): void {
  readingRoutes(api);
  grantingRoute(api);
  changingRoutes(api);
}

interface Filter {
  user?: string;
  account?: string;
  group?: string;
  instance?: string;
}

async function filterOf(
  context: Context,
  caller: Caller,
  { user, account, group, instance }: Filter,
): Promise<PrivilegeFilter> {
  const filter: PrivilegeFilter = {};
  if (user !== undefined) filter.userId = (await userIn(context, caller, user, 'user')).id;
  if (account !== undefined) {
    filter.onAccount = (await reachAccount(context, caller, accountRef(account), 'see')).account.id;
  }
  if (group !== undefined) {
    filter.onGroup = (await reachGroup(context, caller, { group: readId('group', group, 'group') }, 'see')).group.id;
  }
  if (instance !== undefined) {
    filter.onInstance = (await reachVm(context, caller, { id: readId('instance', instance, 'instance') }, 'see')).vm.id;
  }
  return filter;
}

function readingRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listPrivileges',
      tag: 'privileges',
      summary: 'Privileges that you may see, in the order in which they were granted',
      description: 'Unless you ask for those of a user or on an object: your own, and those in accounts of yours.',
      path: '/privileges',
      query: {
        ...pageQuery,
        user: Type.Optional(UserName('Id or name of whose they are; `me` for your own')),
        account: Type.Optional(AccountRef('Held on this account itself')),
        group: Type.Optional(Id('group', 'Held on this group itself')),
        instance: Type.Optional(Id('instance', 'Held on this VM')),
      },
      result: PageOf('PrivilegePage', PrivilegeSchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) => {
      const { limit, after } = readNumberWindow(query);
      const filter = await filterOf(context, caller, query);
      const rows = await pageOfPrivileges(context, caller, filter, { after: after ?? 0n, limit });
      return toPage(rows, limit, ({ id }) => [id], toPrivilege);
    },
  );
  read(
    api,
    { id: 'getPrivilege', tag: 'privileges', summary: 'A privilege', path, result: PrivilegeSchema },
    async ({ context, caller, params }) => toPrivilege(await find(context, caller, params)),
  );
}

function grantingRoute(api: Api): void {
  change(
    api,
    {
      id: 'createPrivilege',
      tag: 'privileges',
      summary: 'Grant a user, or a key of yours, a privilege',
      description:
        'Needs a higher level there than the one granted; to your own keys you grant what you have yourself.',
      method: 'POST',
      path: '/privileges',
      body: Shape('NewPrivilege', {
        user: UserName('Id or name of whom it is granted to'),
        ...grantFields,
        apiKey: Type.Optional(Id('apiKey', "A key of the user's, which is to hold it")),
        ...optionalTerms,
      }),
      example: { body: { user: sampleId('user'), level: 'group_admin', group: sampleId('group') } },
      status: 201,
      result: PrivilegeSchema,
      location: ({ id }) => `/privileges/${id}`,
      renames,
      refusals: ['not_found'],
    },
    async ({ context, caller, body }) => {
      const given = readTerms(body);
      const grant = await readGrant(context, caller, body);
      const { id: userId } = await requireAnyUser(context, userBy(body.user), 'user');
      const apiKey = body.apiKey === undefined ? null : await keyNumber(context, caller, body.apiKey);
      const made = await grantPrivilege(context, caller, {
        ...{ userId, grant, apiKey },
        terms: {
          // A key has no password to show.
          passwordRequired: apiKey === null,
          secondFactorRequired: given.secondFactorRequired ?? false,
          secondFactorAgeSecondsMax: given.secondFactorAgeSecondsMax ?? null,
          fromAddresses: given.fromAddresses ?? null,
        },
      });
      return toPrivilege(made);
    },
  );
}

async function keyNumber(context: Context, caller: Caller, ref: string): Promise<bigint> {
  const key = await findKeyInSight(context, caller, readId('apiKey', ref, 'apiKey'));
  if (key) return key.number;
  throw new BerthError('not_found', `There is no API key ${shown(ref)} of a user's.`, 'apiKey');
}

function changingRoutes(api: Api): void {
  change(
    api,
    {
      id: 'updatePrivilege',
      tag: 'privileges',
      summary: 'Change the terms of a privilege',
      method: 'PATCH',
      path,
      body: Shape('PrivilegeChange', optionalTerms),
      example: { body: { fromAddresses: ['192.0.2.0/24'] } },
      result: PrivilegeSchema,
      current: async ({ context, caller, params }) => toPrivilege(await find(context, caller, params)),
    },
    async ({ context, caller, params, body }) => {
      const privilege = await find(context, caller, params);
      return toPrivilege(await changePrivilege(context, caller, privilege, readTerms(body)));
    },
  );
  change(
    api,
    {
      id: 'deletePrivilege',
      tag: 'privileges',
      summary: 'Take a privilege away',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      current: async ({ context, caller, params }) => toPrivilege(await find(context, caller, params)),
    },
    async ({ context, caller, params }) => {
      await revokePrivilege(context, caller, await find(context, caller, params));
      return null;
    },
  );
}
