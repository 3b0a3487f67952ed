// What an account or a user could pile up without end is bounded, and what is old gives way or the next is refused.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { startPeople } from './people.ts';
import { assertProblem } from './problem.ts';

const people = await startPeople();
const { database, call, ann } = people;
after(() => people.close());
const { id: accountId } = await database
  .selectFrom('account')
  .where('name', '=', 'acme')
  .select('id')
  .executeTakeFirstOrThrow();
const minuteMs = 60_000;

test('an account has a number of groups at most', async () => {
  const rows = Array.from({ length: 998 }, (_, number) => ({ name: `filler-${number}`, created_at: new Date() }));
  await database
    .insertInto('group')
    .values(rows.map((row) => ({ ...row, account_id: accountId })))
    .execute();
  assert.equal((await call(ann, 'POST', '/groups', { name: 'the-last' })).status, 201);
  const { detail, pointer } = assertProblem(
    await call(ann, 'POST', '/groups', { name: 'too-many' }),
    422,
    'invalid_value',
  );
  assert.match(detail, /at most 1000 groups/);
  assert.equal(pointer, '#/name');
});

test('keys that have ended are forgotten but for the newest', async () => {
  const ended = Array.from({ length: 700 }, (_, number) => ({
    ...{ id: randomUUID(), account_id: accountId, name: `ended-${number}`, secret_sha256: randomBytes(32) },
    created_at: new Date(Date.now() - (700 - number) * minuteMs),
    ...(number % 2 === 0 ? { revoked_at: new Date() } : { revoked_at: null, expires_at: new Date(Date.now() - 1) }),
  }));
  await database.insertInto('api_key').values(ended).execute();
  const valid = await call<{ id: string }>(ann, 'POST', '/api-keys', { account: 'acme', name: 'robot' });
  assert.equal(valid.status, 201, JSON.stringify(valid.body));
  const names = (await database.selectFrom('api_key').where('account_id', '=', accountId).select('name').execute()).map(
    ({ name }) => name,
  );
  assert.equal(names.length, 501);
  assert.ok(names.includes('robot') && names.includes('ended-699') && !names.includes('ended-199'));
});

test('a user has a number of sessions at most, and the oldest end', async () => {
  const of = await database
    .selectFrom('user')
    .where('username', '=', ann.username)
    .select('id')
    .executeTakeFirstOrThrow();
  const older = Array.from({ length: 1_050 }, (_, number) => ({
    ...{ id: randomUUID(), token_sha256: randomBytes(32), user_id: of.id, factors: ['password'] },
    ...{ authenticated_at: new Date(Date.now() - (number + 1) * 1_000), validity_seconds: 3_600 },
    expires_at: new Date(Date.now() + 60 * minuteMs),
  }));
  await database.insertInto('session').values(older).execute();
  const { username, password } = ann;
  const opened = await call<{ token: string }>(null, 'POST', '/sessions', { username, password });
  assert.equal(opened.status, 201);
  const left = await database.selectFrom('session').where('user_id', '=', of.id).select('id').execute();
  assert.equal(left.length, 1_000);
  assert.equal((await call(opened.body.token, 'GET', '/me')).status, 200);
});
