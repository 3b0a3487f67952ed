// Accounts: who pays, and owns what runs.

import Type, { type Static } from 'typebox';
import { reachAccount, requireCluster } from '../../app/access.ts';
import { closeAccount, openAccount } from '../../app/account-change.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { type AccountHandle, listAccounts } from '../../app/overview.ts';
import { reachOwnAccount } from '../../app/own-account.ts';
import type { PrivilegeLevel } from '../../model/privilege.ts';
import type { Api } from '../types.ts';
import { Id, parseId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { isFoundBy, SearchQuery } from './search.ts';
import { Shape, Text } from './shape.ts';

/** An account. */
const AccountSchema = Shape('Account', { id: Id('account'), name: Text('default') }, 'Who pays, and owns what runs');

const toAccount = ({ id, name }: AccountHandle): Static<typeof AccountSchema> => ({ id: toId('account', id), name });

/** How a path or field names an account: by its id, or by its name. */
export const AccountRef = (description = 'Id or name of an account; left out where you see only one') =>
  Text('default', description, { maxLength: 200 });

/** What a caller means by {@link AccountRef}. */
export const accountRef = (text: string): string | { id: string } => {
  const id = parseId('account', text);
  return id === null ? text : { id };
};

/** The account that a request names, or the caller's own. @throws BerthError as `reachOwnAccount` does */
export const accountOf = (
  context: Context,
  caller: Caller,
  { account }: { account?: string | undefined },
  level: PrivilegeLevel | 'see',
) => reachOwnAccount(context, caller, account === undefined ? undefined : accountRef(account), level, 'account');

/** Adds the routes. */
export function accountRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listAccounts',
      tag: 'accounts',
      summary: 'The accounts that you see anything of, your own first',
      path: '/accounts',
      query: { ...pageQuery, search: SearchQuery },
      result: PageOf('AccountPage', AccountSchema),
    },
    async ({ context, caller, query }) => {
      const found = (await listAccounts(context, caller)).filter(({ name }) => isFoundBy(query.search, name));
      return pageOfAll(found, query, ({ id }) => id, toAccount);
    },
  );
  read(
    api,
    {
      id: 'getAccount',
      tag: 'accounts',
      summary: 'An account',
      path: '/accounts/{account}',
      result: AccountSchema,
    },
    async ({ context, caller, params }) =>
      toAccount((await reachAccount(context, caller, accountRef(params.account), 'see')).account),
  );
  openingRoutes(api);
}

function openingRoutes(api: Api): void {
  change(
    api,
    {
      id: 'createAccount',
      tag: 'accounts',
      summary: 'Open an account, with nothing in it',
      description: "Its name becomes a part of its VMs' host names, and stays.",
      method: 'POST',
      path: '/accounts',
      body: Shape('NewAccount', { name: Text('acme', 'Letters, digits and -', { maxLength: 200 }) }),
      isForOperators: true,
      status: 201,
      result: AccountSchema,
      location: ({ id }) => `/accounts/${id}`,
      refusals: ['name_taken'],
    },
    async ({ context, caller, body }) => toAccount(await openAccount(context, caller, body.name)),
  );
  change(
    api,
    {
      id: 'deleteAccount',
      tag: 'accounts',
      summary: 'Close an account in which nothing ever was',
      method: 'DELETE',
      path: '/accounts/{account}',
      isForOperators: true,
      status: 204,
      result: Type.Null(),
      refusals: ['wrong_state'],
      current: async ({ context, caller, params }) =>
        toAccount((await reachAccount(context, caller, accountRef(params.account), 'see')).account),
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      await closeAccount(context, caller, accountRef(params.account));
      return null;
    },
  );
}
