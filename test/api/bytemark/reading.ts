// What the tests of reading in Bytemark's dialect share: callers with one privilege each, and their calls.

import { createAccount } from '../../../src/app/account.ts';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, callApi, type TestBerth } from '../../support/berth.ts';
import { addUser, asOperator, grant, tokenOf } from './identity.ts';

/** Any call of one caller. */
export type Send = <Body = unknown>(method: string, path: string, body?: unknown) => Promise<Answer<Body>>;

/** Opens an account as the operator's command does. */
export async function openAccount(berth: TestBerth, name: string): Promise<void> {
  await asOperator(berth, (context) => createAccount(context, name, 'name'));
}

/** The calls of a new user who has this privilege and no other. */
export async function callerWith(
  berth: TestBerth,
  database: Database,
  level: string,
  names: Parameters<typeof grant>[3] = {},
): Promise<Send> {
  const user = await addUser(berth, 'default');
  await database
    .deleteFrom('privilege')
    .where('user_id', 'in', database.selectFrom('user').where('username', '=', user.username).select('id'))
    .execute();
  await grant(berth, user.username, level, names);
  // Some are used again only when thousands of other requests are through.
  return sender(berth, await tokenOf(berth, { ...user, validity: '3600' }));
}

/** Calls with a token, as the command-line client sends them. */
export function sender(berth: TestBerth, token: string): Send {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' };
  return (method, path, body) => callApi(berth.url, null, method, path, body, headers);
}
