// Who may do what, walked over every operation of Berth's own API as its document has them, so that none can be forgotten: without
// a key, with a wrong, a revoked, an expired and a read-only one, and with a right key of another account.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { holdings } from '../support.ts';
import { faultsOf, type Operation, operations } from './document.ts';
import { exampleIn, namesOwned, send, startWorld } from './world.ts';

const world = await startWorld();
after(() => world.close());
const dayMs = 24 * 60 * 60 * 1000;
const guarded = operations.filter(({ isPublic }) => !isPublic);
/** For whoever has something to do with an account, with whichever key. */
const ofAccounts = guarded.filter(({ isForOperators, isForUsers }) => !isForOperators && !isForUsers);

const problemOf = (answer: { body: unknown }) => answer.body as { status: number; code: string };

function assertProblem(
  operation: Operation,
  answer: Awaited<ReturnType<typeof send>>,
  status: number,
  code: string,
): void {
  const shown = `${operation.id}: ${JSON.stringify(answer.body)}`;
  assert.equal(answer.status, status, shown);
  assert.equal(problemOf(answer).code, code, shown);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, shown);
  assert.equal(faultsOf(operation, status, answer.body), null, shown);
}

test('every operation refuses who has no key, a wrong, a revoked or an expired one, all alike', async () => {
  const strangers = [
    null,
    `berth_${randomUUID()}`,
    'session_nonsense',
    await world.addKey({ revokedAt: new Date() }),
    await world.addKey({ expiresAt: new Date(Date.now() - dayMs) }),
  ];
  const held = await holdings(world.database);
  for (const operation of guarded) {
    for (const key of strangers) {
      assertProblem(operation, await send(world, key, operation, operation.example), 401, 'unauthenticated');
    }
    // Who may not ask learns nothing of what is wrong with the request.
    const wrong = { ...operation.example, query: { nonsense: 1 } };
    assertProblem(operation, await send(world, null, operation, wrong), 401, 'unauthenticated');
  }
  assert.deepEqual(await holdings(world.database), held);
});

test('a read-only key reads everything of its account and changes nothing', async () => {
  const key = await world.addKey({ scope: 'read-only' });
  for (const operation of ofAccounts) {
    const example = await exampleIn(world, operation);
    const held = await holdings(world.database);
    const answer = await send(world, key, operation, example);
    if (operation.changes) assertProblem(operation, answer, 403, 'forbidden');
    else assert.equal(answer.status, 200, `${operation.id}: ${JSON.stringify(answer.body)}`);
    if (operation.changes) assert.deepEqual(await holdings(world.database), held, operation.id);
  }
});

test('what is for operators is refused to customers', async () => {
  for (const operation of guarded.filter(({ isForOperators }) => isForOperators)) {
    const example = await exampleIn(world, operation);
    assertProblem(operation, await send(world, world.berth.apiKey, operation, example), 403, 'forbidden');
  }
});

test('what is for users is refused to accounts’ keys, and leaves nothing behind', async () => {
  const readOnly = await world.addKey({ scope: 'read-only' });
  for (const operation of guarded.filter(({ isForUsers }) => isForUsers)) {
    const example = await exampleIn(world, operation);
    const held = await holdings(world.database);
    for (const key of [world.berth.apiKey, readOnly]) {
      assertProblem(operation, await send(world, key, operation, example), 403, 'forbidden');
    }
    assert.deepEqual(await holdings(world.database), held, operation.id);
  }
});

test('another account’s key reaches nothing of the first account’s', async () => {
  const stranger = await world.addStranger();
  for (const operation of ofAccounts) {
    const example = await exampleIn(world, operation);
    // Whatever an example names is the first account's, but for what is everybody's.
    const names = namesOwned(operation);
    const held = await holdings(world.database);
    const answer = await send(world, stranger.key, operation, example);
    const shown = `${operation.id}: ${answer.status} ${JSON.stringify(answer.body)}`;
    if (names) {
      assert.ok([403, 404].includes(answer.status), shown);
      assert.deepEqual(await holdings(world.database), held, operation.id);
    } else {
      assert.ok(!shown.includes(world.accountId.replaceAll('-', '')), shown);
    }
  }
});
