// The part of billing that clients need: which account is meant when none is named, and whose it is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { addUser, grant, tokenOf } from './identity.ts';
import { openAccount } from './reading.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.62.6.0/24' });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

const ask = (token: string, path = '/api/v1/accounts') =>
  callApi<Record<string, unknown>[]>(berth.url, null, 'GET', path, undefined, {
    ...{ authorization: `Token token=${token}`, 'content-type': 'application/json' },
  });

test('a user’s own account comes first, with who runs it, and then those that others let him into', async () => {
  await openAccount(berth, 'acme');
  await openAccount(berth, 'zulu');
  const user = await addUser(berth, 'zulu');
  await grant(berth, user.username, 'group_admin', { account: 'acme', group: 'default' });
  const { number } = await database
    .selectFrom('user')
    .where('username', '=', user.username)
    .select('number')
    .executeTakeFirstOrThrow();
  const token = await tokenOf(berth, user);
  const { status, body } = await ask(token);
  const person = { id: Number(number), username: user.username, email: null };
  const ids = await database.selectFrom('account').select(['name', 'number']).execute();
  const idOf = (name: string) => Number(ids.find((account) => account.name === name)?.number);
  assert.equal(status, 200);
  assert.deepEqual(body, [
    { id: idOf('zulu'), bigv_account_subscription: 'zulu', owner: person, tech: person },
    { id: idOf('acme'), bigv_account_subscription: 'acme' },
  ]);
  const { body: shown } = await callApi<{ name: string }[]>(berth.url, token, 'GET', '/accounts');
  assert.deepEqual(
    shown.map(({ name }) => name),
    ['zulu', 'acme'],
  );
  assert.deepEqual((await ask(token, '/api/v1/accounts?bigv_account_name=zulu')).body, [body[0]]);
  assert.deepEqual((await ask(token, '/api/v1/accounts?bigv_account_name=default')).body, []);
  assert.deepEqual((await ask(token, `/api/v1/people?username=${user.username}`)).body, [person]);
  assert.deepEqual((await ask(token, '/api/v1/people?username=nobody')).body, []);
});

test('an account’s own key finds the account, and a wrong token nothing', async () => {
  const { body } = await ask(`apikey.${berth.apiKey}`);
  assert.deepEqual(
    body.map(({ bigv_account_subscription: name }) => name),
    ['default'],
  );
  assert.equal((await ask('nonsense')).status, 401);
  assert.equal((await ask(`apikey.${berth.apiKey}`, '/api/v1/definitions/trial_days')).status, 404);
});
