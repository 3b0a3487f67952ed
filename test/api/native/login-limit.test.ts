// Whom guessing keeps out: who guesses, and nobody else. Tried from several addresses of this machine.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { addUser, type TestUser } from '../bytemark/identity.ts';
import { openStore } from '../support.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const [home, away, elsewhere] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;

/** A login from an address. @returns its status */
function logInFrom(localAddress: string, { username, password }: TestUser): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(`${berth.url}/berth/v1/sessions`, { method: 'POST', localAddress, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject).end(JSON.stringify({ username, password }));
  });
}

const guessFrom = (address: string, { username }: TestUser) =>
  logInFrom(address, { username, password: 'not this one, nor that' });

async function guessUntilSlowed(address: string, user: TestUser): Promise<void> {
  for (let guess = 0; guess < 11; guess += 1) assert.equal(await guessFrom(address, user), 401);
  // So that a slow machine finds the wait.
  const until = new Date(Date.now() + 60_000);
  await database
    .updateTable('login_failure')
    .set({ blocked_until: until })
    .where('blocked_until', 'is not', null)
    .execute();
  assert.equal(await guessFrom(address, user), 429);
}

test('strangers who fail as a user keep him from nothing where he has logged in before', async () => {
  const user = await addUser(berth, 'default');
  assert.equal(await logInFrom(home, user), 201);
  await guessUntilSlowed(away, user);
  assert.equal(await logInFrom(elsewhere, user), 429, 'guesses from many addresses are slowed together');
  assert.equal(await logInFrom(home, user), 201);
  assert.equal(await logInFrom(away, user), 429, 'that he has come in ends nothing of what is held against the others');
  await database.deleteFrom('login_failure').execute();
});

test('guessing is slowed also where the user has logged in before', async () => {
  const user = await addUser(berth, 'default');
  assert.equal(await logInFrom(home, user), 201);
  await guessUntilSlowed(home, user);
  assert.equal(await logInFrom(home, user), 429);
  await database.deleteFrom('login_failure').execute();
});

test('no name that somebody types is counted as a user at a place of his', async () => {
  const user = await addUser(berth, 'default');
  assert.equal(await logInFrom(home, user), 201);
  for (const name of [`known ${home} ${user.username}`, `${user.username} from ${home}`, `${home} ${user.username}`]) {
    for (let guess = 0; guess < 12; guess += 1) await guessFrom(away, { username: name, password: '' });
    await database.deleteFrom('login_failure').where('count', '>', 40).execute();
  }
  assert.equal(await logInFrom(home, user), 201);
  await database.deleteFrom('login_failure').execute();
});

test('a place is forgotten in the end', async () => {
  const user = await addUser(berth, 'default');
  assert.equal(await logInFrom(home, user), 201);
  await database.updateTable('login_failure').set({ failed_at: new Date() }).where('count', '=', 0).execute();
  await guessUntilSlowed(away, user);
  assert.equal(await logInFrom(home, user), 429);
  await database.deleteFrom('login_failure').execute();
});
