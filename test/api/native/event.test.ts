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
const hourMs = 60 * 60 * 1000;
const read = async (query: string) => (await berth.call<Page>('GET', `${path}?${query}`)).body;
const messages = ({ items }: Page) => items.map(({ message }) => message);

/**
 * Adds events, and waits until they are shown.
 * @param at when each of them happened
 */
async function tell(
  kind: string,
  count: number,
  account: string | null = accountId,
  at: (index: number) => Date = () => new Date(),
): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    ...{ accountId: account, instanceId: null, hostId: null, kind, actor: 'a test', createdAt: at(index) },
    message: `${kind} ${index}`,
  }));
  await inTransaction(database, (tx) => insertEvents(tx, events));
  const query = account === null ? 'all=true' : 'account=default';
  await until('the events are shown', async () => {
    const { body } = await callApi<Page>(
      berth.url,
      world.operator,
      'GET',
      `${path}?newestFirst=true&limit=1&kind=${kind}&${query}`,
    );
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

test('events are found by when they happened, forwards and backwards', async () => {
  const begin = Date.now() - 6 * hourMs;
  const hour = (count: number) => new Date(begin + count * hourMs).toISOString();
  await tell('test.hourly', 5, accountId, (index) => new Date(begin + index * hourMs));
  const found = async (query: string) => messages(await read(`kind=test.hourly&${query}`));
  const named = (...indexes: number[]) => indexes.map((index) => `test.hourly ${index}`);
  assert.deepEqual(await found(`createdAfter=${hour(3)}`), named(3, 4));
  assert.deepEqual(await found(`createdBefore=${hour(3)}`), named(0, 1, 2));
  assert.deepEqual(await found(`createdAfter=${hour(1)}&createdBefore=${hour(3)}`), named(1, 2));
  assert.deepEqual(await found(`createdAfter=${hour(1)}&createdBefore=${hour(1)}`), []);
  const backwards = `kind=test.hourly&createdBefore=${hour(4)}&newestFirst=true&limit=3`;
  const first = await read(backwards);
  assert.deepEqual(messages(first), named(3, 2, 1));
  assert.deepEqual(messages(await read(`${backwards}&cursor=${first.nextCursor}`)), named(0));
  const { status, body } = await berth.call<{ code: string; parameter: string }>('GET', `${path}?createdAfter=once`);
  assert.deepEqual([status, body.code, body.parameter], [422, 'invalid_value', 'createdAfter']);
});

test('only who runs the whole reads the events of all, and of none', async () => {
  await tell('test.nobodys', 1, null);
  const ofAll = `${path}?all=true&newestFirst=true&kind=test.nobodys`;
  const { body } = await callApi<Page>(berth.url, world.operator, 'GET', ofAll);
  assert.deepEqual(messages(body), ['test.nobodys 0']);
  assert.equal((await berth.call('GET', ofAll)).status, 403);
  assert.deepEqual(messages(await read('kind=test.nobodys')), []);
});
