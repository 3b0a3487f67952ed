// Bytemark's calls of accounts.

import Type from 'typebox';
import { reachAccount } from '../../app/access.ts';
import { closeAccount, openAccount } from '../../app/account-change.ts';
import { listAccounts, overviewAccounts, readAccount } from '../../app/overview.ts';
import type { Api } from '../types.ts';
import { AccountSchema, toAccount, toAccountOverview } from './account-shape.ts';
import { callerOf } from './caller.ts';
import { NameSchema, readName } from './name.ts';
import { AccountParams, accountPath } from './path.ts';
import { includesDeleted, isOverview, ViewSchema } from './query.ts';
import { NothingSchema } from './shape.ts';

/** Adds the routes. */
export function accountRoutes({ app, context, errors }: Api): void {
  app.get(
    '/accounts',
    {
      schema: {
        operationId: 'listAccounts',
        summary:
          'The accounts that one sees anything of: first those that one runs, then the others, each the oldest first',
        querystring: ViewSchema,
        response: { 200: Type.Array(AccountSchema), ...errors(401) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const accounts = await listAccounts(context, caller);
      if (!isOverview(request.query)) return accounts.map(toAccount);
      const { domain } = context.settings.bytemark;
      const overviews = await overviewAccounts(context, caller, accounts, includesDeleted(request.query));
      return overviews.map((account) => toAccountOverview(account, domain));
    },
  );

  app.get(
    accountPath,
    {
      schema: {
        operationId: 'getAccount',
        summary: 'An account by its number or name',
        params: AccountParams,
        querystring: ViewSchema,
        response: { 200: AccountSchema, ...errors(401, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const account = await readAccount(context, caller, request.params.account);
      if (!isOverview(request.query)) return toAccount(account);
      const { domain } = context.settings.bytemark;
      const [overview] = await overviewAccounts(context, caller, [account], includesDeleted(request.query));
      return overview ? toAccountOverview(overview, domain) : toAccount(account);
    },
  );

  app.post(
    '/accounts',
    {
      schema: {
        operationId: 'createAccount',
        summary: 'Open an account',
        body: NameSchema,
        response: { 200: AccountSchema, ...errors(400, 401, 403) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      return toAccount(await openAccount(context, caller, readName(request.body)));
    },
  );

  app.put(
    accountPath,
    {
      schema: {
        operationId: 'updateAccount',
        summary: 'Nothing of an account can be changed so far: its name stays',
        params: AccountParams,
        response: { 200: AccountSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      return toAccount((await reachAccount(context, caller, request.params.account, 'account_admin')).account);
    },
  );

  app.delete(
    accountPath,
    {
      schema: {
        operationId: 'deleteAccount',
        summary: 'Close an account in which nothing ever was',
        params: AccountParams,
        response: { 204: NothingSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      await closeAccount(context, await callerOf(context, request), request.params.account);
      return reply.code(204).send(null);
    },
  );
}
