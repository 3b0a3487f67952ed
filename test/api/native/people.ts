// What the tests of users, privileges and keys share: people who are logged in to Berth's own API.

import assert from 'node:assert/strict';
import { createAccount } from '../../../src/app/account.ts';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { addUser, asOperator, grant, type TestUser, tokenOf } from '../bytemark/identity.ts';
import { openStore } from '../support.ts';

/** Somebody with a session. */
export interface Person extends TestUser {
  id: string;
  token: string;
}

/** A Berth with two accounts: ann runs `acme`, carol `other`, and root the whole. */
export interface People {
  berth: TestBerth;
  database: Database;
  ann: Person;
  carol: Person;
  root: Person;
  /** Logs a user in. */
  enter(user: TestUser): Promise<Person>;
  call<Body = Record<string, unknown>>(
    who: Person | string | null,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  close(): Promise<void>;
}

/** Starts it. */
export async function startPeople(): Promise<People> {
  const berth = await startTestBerth();
  const database = await openStore(berth);
  for (const name of ['acme', 'other']) await asOperator(berth, (context) => createAccount(context, name, 'name'));
  const call: People['call'] = (who, method, path, body, headers) =>
    callApi(berth.url, who && typeof who === 'object' ? who.token : who, method, `/berth/v1${path}`, body, headers);
  const enter = async (user: TestUser): Promise<Person> => {
    const token = await tokenOf(berth, user);
    const { status, body } = await call<{ id: string }>(token, 'GET', '/users/me');
    assert.equal(status, 200, JSON.stringify(body));
    return { ...user, token, id: body.id };
  };
  const [ann, carol, root] = [
    await addUser(berth, 'acme'),
    await addUser(berth, 'other'),
    await addUser(berth, 'other'),
  ];
  await grant(berth, root.username, 'cluster_admin');
  return {
    ...{ berth, database, call, enter },
    ...{ ann: await enter(ann), carol: await enter(carol), root: await enter(root) },
    async close() {
      await database.destroy();
      await berth.close();
    },
  };
}
