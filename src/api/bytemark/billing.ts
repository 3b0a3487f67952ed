// The part of Bytemark's billing API that its command-line client needs to find an account. Money itself is shown by Berth's own
// commands. (Bytemark API: billing.)

import Type, { type Static } from 'typebox';
import { listOwnedAccounts, type OwnedAccount } from '../../app/overview.ts';
import { type UserRow, usersInSight } from '../../app/user-directory.ts';
import type { Api } from '../types.ts';
import { callerOf } from './caller.ts';
import { IdSchema, Nullable } from './shape.ts';

const PersonSchema = Type.Object({ id: IdSchema, username: Type.String(), email: Nullable(Type.String()) });

const BillingAccountSchema = Type.Object({
  id: IdSchema,
  bigv_account_subscription: Type.String({ description: "The account's name" }),
  owner: Type.Optional(PersonSchema),
  tech: Type.Optional(PersonSchema),
});

const toPerson = ({ number, username, email }: Pick<UserRow, 'number' | 'username' | 'email'>) => ({
  id: Number(number),
  username,
  email,
});

function toBillingAccount({ number, name, owner }: OwnedAccount): Static<typeof BillingAccountSchema> {
  const person = owner && toPerson(owner);
  return {
    id: Number(number),
    bigv_account_subscription: name,
    ...(person ? { owner: person, tech: person } : {}),
  };
}

/** Adds the routes. */
export function billingRoutes({ app, context, errors }: Api): void {
  app.get(
    '/api/v1/accounts',
    {
      schema: {
        operationId: 'listBillingAccounts',
        summary: 'The accounts that one sees anything of; the first is the one that clients use unless told otherwise',
        querystring: Type.Object({ bigv_account_name: Type.Optional(Type.String()) }),
        response: { 200: Type.Array(BillingAccountSchema), ...errors(401) },
      },
    },
    async (request) => {
      const { bigv_account_name: only } = request.query;
      const accounts = await listOwnedAccounts(context, await callerOf(context, request));
      return accounts.filter(({ name }) => only === undefined || name === only).map(toBillingAccount);
    },
  );

  app.get(
    '/api/v1/people',
    {
      schema: {
        operationId: 'listBillingPeople',
        summary: 'The users whom one sees',
        querystring: Type.Object({ username: Type.Optional(Type.String()) }),
        response: { 200: Type.Array(PersonSchema), ...errors(401) },
      },
    },
    async (request) => {
      const { username: only } = request.query;
      const users = await usersInSight(context, await callerOf(context, request));
      return users.filter(({ username }) => only === undefined || username === only).map(toPerson);
    },
  );
}
