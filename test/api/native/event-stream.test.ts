// Events as a stream: what happens is told when it happens, once, to whoever may know of it, and to nobody for longer than that.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inTransaction } from '../../../src/store/database.ts';
import { insertEvents, type NewEvent } from '../../../src/store/event.ts';
import { callApi, until } from '../../support/berth.ts';
import { startWorld } from './world.ts';

const world = await startWorld();
const { berth, database, accountId } = world;
const readers = new Set<AbortController>();
after(async () => {
  for (const reader of readers) reader.abort();
  await world.close();
});
const boundMs = 60_000;

interface Told {
  id: string;
  event: string;
  data: { kind: string; account: string | null; message: string; code?: string; detail?: string };
}

/** A reader of a stream. */
class Stream {
  readonly events: Told[] = [];
  lastId = '';
  comments = 0;
  isOver = false;
  readonly #left: AbortController;

  constructor(response: Response, left: AbortController) {
    this.#left = left;
    readers.add(left);
    void this.#read(response).catch(() => {
      this.isOver = true;
    });
  }

  get messages(): string[] {
    return this.events.map(({ data }) => data.message);
  }

  leave(): void {
    this.#left.abort();
  }

  async told(count: number): Promise<void> {
    await until(`${count} events were told`, async () => this.events.length >= count, boundMs);
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.#take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
    this.isOver = true;
  }

  #take(block: string): void {
    const fields: Record<string, string> = {};
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^(\w*): ?(.*)$/.exec(line) ?? [];
      if (line.startsWith(':')) this.comments += 1;
      fields[name] = value;
    }
    if (fields.id !== undefined) this.lastId = fields.id;
    if (fields.data === undefined) return;
    this.events.push({ id: fields.id ?? '', event: fields.event ?? '', data: JSON.parse(fields.data) });
  }
}

async function open(query = '', key = berth.apiKey, headers: Record<string, string> = {}): Promise<Stream> {
  const left = new AbortController();
  const response = await fetch(`${berth.url}/berth/v1/events/stream${query}`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
    signal: left.signal,
  });
  assert.equal(response.status, 200, await (response.ok ? '' : response.text()));
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const stream = new Stream(response, left);
  await until('the stream has begun', async () => stream.lastId !== '', boundMs);
  return stream;
}

const eventOf = (message: string, more: Partial<NewEvent> = {}): NewEvent => ({
  ...{ accountId, instanceId: null, hostId: null, kind: 'test.thing', message, actor: 'test', createdAt: new Date() },
  ...more,
});
const tell = (message: string, more: Partial<NewEvent> = {}) =>
  inTransaction(database, (tx) => insertEvents(tx, [eventOf(message, more)]));
const refusal = (query: string, headers: Record<string, string> = {}, key: string | null = berth.apiKey) =>
  callApi<{ code: string; parameter?: string }>(
    berth.url,
    key,
    'GET',
    `/berth/v1/events/stream${query}`,
    undefined,
    headers,
  );

test('what happens is told once, as the feed has it', async () => {
  const stream = await open();
  await tell('one');
  await tell('two\nlines');
  await stream.told(2);
  assert.deepEqual(stream.messages, ['one', 'two\nlines']);
  const [first] = stream.events;
  assert.equal(first?.event, 'test.thing');
  const feed = await berth.call<{ items: { cursor: string }[] }>('GET', '/berth/v1/events?limit=1000');
  const inFeed = feed.body.items.find(({ cursor }) => cursor === first?.id);
  assert.deepEqual(first?.data, inFeed);
  stream.leave();
});

test('a stream begins with what happens after it was opened', async () => {
  await tell('before');
  // What is committed while an older transaction runs is shown when that is over.
  await sleep(200);
  const stream = await open();
  await tell('after');
  await stream.told(1);
  assert.deepEqual(stream.messages, ['after']);
  stream.leave();
});

test('who was away goes on where he was, whichever way he says so', async () => {
  const stream = await open();
  await tell('seen');
  await stream.told(1);
  stream.leave();
  for (const message of ['missed 1', 'missed 2', 'missed 3']) await tell(message);
  const byHeader = await open('?cursor=0-0', berth.apiKey, { 'last-event-id': stream.lastId });
  const byQuery = await open(`?cursor=${stream.lastId}`);
  await tell('new');
  for (const reader of [byHeader, byQuery]) {
    await reader.told(4);
    assert.deepEqual(reader.messages, ['missed 1', 'missed 2', 'missed 3', 'new']);
    reader.leave();
  }
});

test('who opens a stream while much happens misses nothing and is told nothing twice', async () => {
  const start = await open();
  const cursor = start.lastId;
  start.leave();
  const count = 300;
  const opened: Stream[] = [];
  const writing = (async () => {
    for (let number = 0; number < count; number += 1) {
      await tell(`busy ${number}`);
      if (number % 30 === 0) opened.push(await open(`?cursor=${cursor}`));
    }
  })();
  // Transactions that end in another order than they began in.
  const late = inTransaction(database, async (tx) => {
    await insertEvents(tx, [eventOf('late')]);
    await sleep(300);
  });
  await Promise.all([writing, late]);
  for (const stream of opened) {
    await stream.told(count + 1);
    assert.equal(new Set(stream.events.map(({ id }) => id)).size, count + 1);
    assert.deepEqual(
      stream.messages.filter((message) => message !== 'late'),
      Array.from({ length: count }, (_, number) => `busy ${number}`),
    );
    stream.leave();
  }
});

test('filters pass what is asked for alone', async () => {
  const instance = `0x${'7'.repeat(40)}`;
  const byKind = await open('?kind=shape.round');
  const byInstance = await open(`?instance=ins_${'7'.repeat(40)}`);
  await tell('no', { kind: 'shape.rounder' });
  await tell('no', { kind: 'shape' });
  await tell('ball', { kind: 'shape.round.ball' });
  await tell('round', { kind: 'shape.round', instanceId: instance });
  await tell('other', { instanceId: `0x${'8'.repeat(40)}` });
  await tell('odd', { kind: 'a\nid: 1', instanceId: instance });
  await byKind.told(2);
  await byInstance.told(2);
  assert.deepEqual(byKind.messages, ['ball', 'round']);
  assert.deepEqual(byInstance.messages, ['round', 'odd']);
  assert.deepEqual(
    byInstance.events.map(({ event }) => event),
    ['shape.round', 'a id: 1'],
  );
  const again = await open(`?kind=shape.round&cursor=${byKind.events[0]?.id}`);
  await again.told(1);
  assert.deepEqual(again.messages, ['round']);
  for (const stream of [byKind, byInstance, again]) stream.leave();
});

test('nobody is told of another account, and an operator of all', async () => {
  const stranger = await world.addStranger();
  const own = await open();
  const theirs = await open('', stranger.key);
  const all = await open('?all=true', world.operator);
  const one = await open(`?all=true&account=acc_${stranger.accountId.replaceAll('-', '')}`, world.operator);
  await tell('theirs', { accountId: stranger.accountId });
  await tell('nobody’s', { accountId: null });
  await tell('ours');
  await Promise.all([own.told(1), theirs.told(1), all.told(3), one.told(1)]);
  assert.deepEqual(own.messages, ['ours']);
  assert.deepEqual(theirs.messages, ['theirs']);
  assert.deepEqual(all.messages, ['theirs', 'nobody’s', 'ours']);
  assert.equal(all.events[1]?.data.account, null);
  assert.deepEqual(one.messages, ['theirs']);
  for (const stream of [own, theirs, all, one]) stream.leave();
  assert.equal((await refusal('?all=true')).status, 403);
  assert.equal((await refusal('?account=default', {}, stranger.key)).status, 404);
});

test('what is no cursor, kind or instance is refused', async () => {
  for (const [query, headers, status, parameter] of [
    ['?cursor=x', {}, 422, 'cursor'],
    ['?cursor=99999999999-1', {}, 422, 'cursor'],
    ['?cursor=18446744073709551616-1', {}, 422, 'cursor'],
    ['', { 'last-event-id': 'x' }, 422, 'Last-Event-ID'],
    ['?kind=A%0A', {}, 422, 'kind'],
    ['?kind=a..b', {}, 422, 'kind'],
    ['?instance=ins_1', {}, 422, 'instance'],
    ['?colour=red', {}, 400, undefined],
    ['?all=perhaps', {}, 400, undefined],
  ] as const) {
    const { status: got, body } = await refusal(query, headers);
    assert.equal(got, status, `${query} ${JSON.stringify(body)}`);
    if (parameter) assert.equal(body.parameter, parameter);
  }
  assert.equal((await refusal('', {}, null)).status, 401);
});

test('a caller has 32 streams at a server, and a place again as soon as he leaves one', async () => {
  const key = await world.addKey({ accountId: (await world.addStranger()).accountId });
  const streams = await Promise.all(Array.from({ length: 32 }, () => open('', key)));
  const refused = await refusal('', {}, key);
  assert.deepEqual([refused.status, refused.body.code], [429, 'too_many_requests']);
  const others = await open();
  others.leave();
  streams.pop()?.leave();
  await until('there is a place', async () => {
    const response = await open('', key).catch(() => null);
    response?.leave();
    return response !== null;
  });
  for (const stream of streams) stream.leave();
});

test('a stream ends soon after its key was revoked, and says why', async () => {
  const key = await world.addKey();
  const stream = await open('', key);
  await database
    .updateTable('api_key')
    .set({ revoked_at: new Date() })
    .where('account_id', '=', accountId)
    .where('name', '=', 'test')
    .execute();
  const beganMs = performance.now();
  await until('it has ended', async () => stream.isOver, boundMs);
  assert.ok(performance.now() - beganMs < 30_000);
  assert.equal(stream.events.at(-1)?.event, 'end');
  assert.equal(stream.events.at(-1)?.data.code, 'unauthenticated');
});

test('a quiet stream shows that it is alive, and where to go on', async () => {
  const stream = await open('?kind=never');
  const first = stream.lastId;
  const before = stream.comments;
  await tell('not for him');
  await until('there is a sign of life', async () => stream.comments > before, boundMs);
  assert.notEqual(stream.lastId, first);
  assert.deepEqual(stream.events, []);
  const again = await open(`?cursor=${stream.lastId}`);
  await tell('next');
  await again.told(1);
  assert.deepEqual(again.messages, ['next']);
  for (const one of [stream, again]) one.leave();
});

test('who takes nothing is cut off, and others are told all the same', async () => {
  const url = new URL(berth.url);
  const stuck = connect(Number(url.port), url.hostname);
  stuck.on('error', () => {});
  stuck.write(`GET /berth/v1/events/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${berth.apiKey}\r\n\r\n`);
  await new Promise((resolve) => stuck.once('data', resolve));
  stuck.pause();
  const stream = await open('?kind=last');
  const filler = 'x'.repeat(2_000);
  for (let batch = 0; batch < 16; batch += 1) {
    const events = Array.from({ length: 1_000 }, (_, number) => eventOf(`${batch} ${number} ${filler}`));
    await inTransaction(database, (tx) => insertEvents(tx, events));
  }
  await tell('end', { kind: 'last' });
  await stream.told(1);
  // It is told that by what it reads no more: its own end of the connection is all there is left to see.
  stuck.resume();
  await new Promise<void>((resolve) => {
    if (stuck.closed) resolve();
    else stuck.once('close', () => resolve());
  });
  stream.leave();
});

test('streams end when the server stops, and say so', async () => {
  const id = randomUUID();
  const stream = await open(`?kind=k${id}`);
  await berth.restart();
  await until('it is over', async () => stream.isOver, boundMs);
  assert.deepEqual([stream.events.at(-1)?.event, stream.events.at(-1)?.data.code], ['end', 'unavailable']);
  const again = await open(`?cursor=${stream.lastId}`);
  again.leave();
});
