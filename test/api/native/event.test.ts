// The events of an account, a page at a time, forwards and from the newest on.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inTransaction } from '../../../src/store/database.ts';
import { insertEvents } from '../../../src/store/event.ts';
import { callApi, until } from '../../support/berth.ts';
import { startWorld } from './world.ts';

const world = await startWorld();
const { berth, database, accountId } = world;
after(() => world.close());

interface Page {
  items: { message: string; kind: string; account: string | null }[];
  nextCursor: string | null;
}
const path = '/berth/v1/events';
const read = async (query: string) => (await berth.call<Page>('GET', `${path}?${query}`)).body;
const messages = ({ items }: Page) => items.map(({ message }) => message);

/** Adds events, and waits until they are shown. */
async function tell(kind: string, count: number, account: string | null = accountId): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    ...{ accountId: account, instanceId: null, hostId: null, kind, actor: 'a test', createdAt: new Date() },
    message: `${kind} ${index}`,
  }));
  await inTransaction(database, (tx) => insertEvents(tx, events));
  const query = account === null ? 'all=true' : 'account=default';
  await until('the events are shown', async () => {
    const { body } = await callApi<Page>(berth.url, world.operator, 'GET', `${path}?newestFirst=true&limit=1&${query}`);
    return body.items[0]?.message === `${kind} ${count - 1}`;
  });
}

test('events from the newest on go back to the oldest, and each comes once', async () => {
  await tell('test.back', 5);
  const query = 'kind=test.back&newestFirst=true&limit=2';
  const first = await read(query);
  assert.deepEqual(messages(first), ['test.back 4', 'test.back 3']);
  const second = await read(`${query}&cursor=${first.nextCursor}`);
  assert.deepEqual(messages(second), ['test.back 2', 'test.back 1']);
  const third = await read(`${query}&cursor=${second.nextCursor}`);
  assert.deepEqual(messages(third), ['test.back 0']);
  assert.equal(third.nextCursor, null);
});

test('a kind has those below it, and no others', async () => {
  await tell('kin.one', 1);
  await tell('kind.two', 1);
  assert.deepEqual(messages(await read('kind=kin')), ['kin.one 0']);
  const { status, body } = await berth.call<{ code: string }>('GET', `${path}?kind=No%20kind`);
  assert.equal(status, 422);
  assert.equal(body.code, 'invalid_value');
});

test('only who runs the whole reads the events of all, and of none', async () => {
  await tell('test.nobodys', 1, null);
  const ofAll = `${path}?all=true&newestFirst=true&kind=test.nobodys`;
  const { body } = await callApi<Page>(berth.url, world.operator, 'GET', ofAll);
  assert.deepEqual(messages(body), ['test.nobodys 0']);
  assert.equal((await berth.call('GET', ofAll)).status, 403);
  assert.deepEqual(messages(await read('kind=test.nobodys')), []);
});
