// Event streams: 50 readers while 50 events a second are committed for 20 s. How long from committed to received, beside a client that
// asks for the list every 100 ms in the same run. Then commits a second of eight writers with and without a trigger that would
// notify of every event, in turns. Run by `npm run bench:events`; prints one line of JSON.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { sha256 } from '../src/app/authenticate.ts';
import { type Database, inTransaction, openDatabase } from '../src/store/database.ts';
import { insertEvents, type NewEvent } from '../src/store/event.ts';
import { type Stack, startStack } from './stack.ts';

/** Of two accounts, since one caller may have 32. */
const readersEach = 25;
const eventsPerSecond = 50;
const seconds = 20;
const askEveryMs = 100;
const writers = 8;
const commitsMs = 4_000;
const turns = 3;

const eventOf = (accountId: string, message: string): NewEvent => ({
  ...{ accountId, instanceId: null, hostId: null, kind: 'bench.thing', message, actor: 'bench', createdAt: new Date() },
});

/** Which message came after how many milliseconds. */
class Latencies {
  readonly committedAtMs: Map<string, number>;
  readonly receivedAtMs: [message: string, ms: number][] = [];

  constructor(committedAtMs: Map<string, number>) {
    this.committedAtMs = committedAtMs;
  }

  received(message: string): void {
    this.receivedAtMs.push([message, performance.now()]);
  }

  sum() {
    const ms = this.receivedAtMs.map(([message, at]) => Math.max(0, at - (this.committedAtMs.get(message) ?? at)));
    ms.sort((one, other) => one - other);
    const quantile = (share: number) => Number((ms[Math.floor(share * (ms.length - 1))] ?? 0).toFixed(1));
    return { received: ms.length, p50: quantile(0.5), p99: quantile(0.99), max: quantile(1) };
  }
}

/** Reads a stream until it is left. */
async function readStream(url: string, key: string, latencies: Latencies, left: AbortSignal): Promise<void> {
  const response = await fetch(`${url}/berth/v1/events/stream?kind=bench`, {
    headers: { authorization: `Bearer ${key}` },
    signal: left,
  });
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const message = /^data: .*"message":"([^"]*)"/m.exec(block)?.[1];
      if (message !== undefined) latencies.received(message);
    }
  }
}

/** Asks for the list again and again. */
async function askAgain(url: string, key: string, latencies: Latencies, left: AbortSignal): Promise<void> {
  let cursor = '';
  while (!left.aborted) {
    const beganMs = performance.now();
    const response = await fetch(`${url}/berth/v1/events?limit=1000${cursor && `&cursor=${cursor}`}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const page = (await response.json()) as { items: { kind: string; message: string }[]; nextCursor: string | null };
    for (const { kind, message } of page.items) if (kind.startsWith('bench')) latencies.received(message);
    cursor = page.nextCursor ?? cursor;
    await sleep(Math.max(0, askEveryMs - (performance.now() - beganMs)));
  }
}

async function addAccount(database: Database): Promise<{ accountId: string; key: string }> {
  const [accountId, key] = [randomUUID(), `berth_${randomUUID()}`];
  await database.insertInto('account').values({ id: accountId, name: 'other', created_at: new Date() }).execute();
  const row = { id: randomUUID(), account_id: accountId, name: 'bench', created_at: new Date(), revoked_at: null };
  await database
    .insertInto('api_key')
    .values({ ...row, secret_sha256: sha256(key) })
    .execute();
  return { accountId, key };
}

async function measureStreams({ url, apiKey, context: { database } }: Stack) {
  const { id } = await database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const accounts = [{ accountId: id, key: apiKey }, await addAccount(database)];
  const committedAtMs = new Map<string, number>();
  const [streamed, asked] = [new Latencies(committedAtMs), new Latencies(committedAtMs)];
  const left = new AbortController();
  const readers = accounts.flatMap(({ key }) =>
    Array.from({ length: readersEach }, () => readStream(url, key, streamed, left.signal).catch(() => {})),
  );
  readers.push(askAgain(url, apiKey, asked, left.signal));
  await sleep(2_000);
  const began = performance.now();
  const writing: Promise<unknown>[] = [];
  for (let number = 0; number < eventsPerSecond * seconds; number += 1) {
    await sleep(Math.max(0, began + (number * 1_000) / eventsPerSecond - performance.now()));
    const events = accounts.map(({ accountId }) => eventOf(accountId, `m${number}`));
    const written = inTransaction(database, (tx) => insertEvents(tx, events));
    writing.push(written.then(() => committedAtMs.set(`m${number}`, performance.now())));
  }
  await Promise.all(writing);
  await sleep(2_000);
  left.abort();
  await Promise.all(readers);
  const expected = committedAtMs.size * readersEach * accounts.length;
  return { events: committedAtMs.size, expected, streamed: streamed.sum(), askedEvery100Ms: asked.sum() };
}

/** Commits a second of writers that write an event each time. */
async function commitsPerSecond(database: Database, accountId: string): Promise<number> {
  const end = performance.now() + commitsMs;
  let commits = 0;
  const write = async () => {
    while (performance.now() < end) {
      await inTransaction(database, (tx) => insertEvents(tx, [eventOf(accountId, 'commit')]));
      commits += 1;
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  return Math.round((commits * 1_000) / commitsMs);
}

async function measureNotify({ connectionString }: Stack) {
  const database = openDatabase(connectionString, () => {});
  const { id } = await database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  await sql`create function tell_of_events() returns trigger language plpgsql as $$
    begin perform pg_notify('berth_event', ''); return null; end $$`.execute(database);
  const [without, with_]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < turns; turn += 1) {
    without.push(await commitsPerSecond(database, id));
    await sql`create trigger tell after insert on event for each statement execute function tell_of_events()`.execute(
      database,
    );
    with_.push(await commitsPerSecond(database, id));
    await sql`drop trigger tell on event`.execute(database);
  }
  await database.destroy();
  return { commitsPerSecond: without, withNotify: with_ };
}

const stack = await startStack();
try {
  console.log(JSON.stringify({ ...(await measureStreams(stack)), ...(await measureNotify(stack)) }));
} finally {
  await stack.close();
}
