// Revenue over Berth's own API: whoever it is summed up by and however it is divided over time, it is what the ledger has.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { parseId, toId } from '../../../src/api/native/id.ts';
import { inTransaction } from '../../../src/store/database.ts';
import { insertTransactions } from '../../../src/store/ledger.ts';
import { credit, deployed, untilStatus } from '../support.ts';
import { callsOf, done, refused } from './calls.ts';
import { startWorld } from './world.ts';

interface Earned {
  revenue: string;
  byPeriod: string[];
}
interface Revenue {
  from: string | null;
  to: string | null;
  periods: string[];
  items: (Earned & { id: string | null; name: string | null })[];
  others: (Earned & { count: number }) | null;
  total: string;
  totalByPeriod: string[];
}

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());
const call = callsOf(berth, world.operator);
const revenue = (query: string) => done<Revenue>(call, 200, 'GET', `/revenue?${query}`);
const micro = (usd: string) => Math.round(Number(usd) * 1_000_000);
const sum = (amounts: readonly string[]) => amounts.reduce((all, amount) => all + micro(amount), 0);
const dayMs = 86_400_000;
const accounts: string[] = [];
const hosts: string[] = [];

/** Charges of every third day of eleven weeks before a Thursday, on two hosts, of three accounts, and a refund. */
before(async () => {
  const [instanceId = ''] = await deployed(berth);
  await untilStatus(berth, instanceId, 'Active');
  for (let count = 0; count < 3; count += 1) {
    const { accountId } = await world.addStranger();
    await credit(database, accountId);
    accounts.push(accountId);
  }
  for (let count = 0; count < 2; count += 1) hosts.push(parseId('host', await world.make('host')) ?? '');
  const charges = Array.from({ length: 26 }, (_, index) => {
    const amount = BigInt(1_000_000 * (1 + (index % 3)) + index) * (index === 7 ? -1n : 1n);
    return {
      ...{
        id: randomUUID(),
        kind: index === 7 ? ('refund' as const) : ('charge' as const),
        reason: 'it ran',
        actor: 'a test',
      },
      ...{ accountId: accounts[index % 3] ?? '', hostId: hosts[index % 2] ?? '' },
      instanceId: index % 5 === 0 ? null : instanceId,
      // One of them at the very end of its day.
      createdAt: new Date(Date.parse('2026-03-26T23:59:59.999Z') - index * 3 * dayMs),
      entries: [
        { book: 'available' as const, amount: -amount },
        { book: 'revenue' as const, amount },
      ],
    };
  });
  await inTransaction(database, (tx) => insertTransactions(tx, charges));
});

/** What the ledger has of a span, by its own entries. */
async function inLedger(from: string, to: string): Promise<number> {
  const { rows } = await sql<{ sum: string }>`
    select coalesce(sum(amount_micro_usd), 0)::text as sum from ledger_entry join ledger_transaction on ledger_transaction.id = transaction_id
    where book = 'revenue' and created_at >= ${from}::timestamptz and created_at < ${to}::timestamptz`.execute(
    database,
  );
  return Number(rows[0]?.sum);
}

const span = 'from=2026-01-05&to=2026-04-01';

test('by day, week and month, whoever it is summed up by, it comes to what the ledger has', async () => {
  const expected = await inLedger('2026-01-05Z', '2026-04-01Z');
  assert.ok(expected > 0);
  for (const per of ['day', 'week', 'month']) {
    for (const by of ['host', 'datacenter', 'account', 'kind']) {
      const found = await revenue(`${span}&per=${per}&by=${by}`);
      assert.equal(micro(found.total), expected, `${per} ${by}`);
      assert.equal(sum(found.totalByPeriod), expected);
      assert.equal(sum(found.items.map((item) => item.revenue)), expected);
      for (const item of found.items) {
        assert.equal(item.byPeriod.length, found.periods.length);
        assert.equal(sum(item.byPeriod), micro(item.revenue));
      }
      const amounts = found.items.map((item) => micro(item.revenue));
      assert.deepEqual(
        amounts,
        [...amounts].sort((one, other) => other - one),
        'who earned most comes first',
      );
    }
  }
});

test('days, weeks from Monday on and months are told without a gap, each with what the ledger has of it', async () => {
  const days = await revenue(`${span}&per=day`);
  assert.deepEqual([days.periods.length, days.periods[0], days.periods.at(-1)], [86, '2026-01-05', '2026-03-31']);
  const weeks = await revenue(`${span}&per=week`);
  assert.ok(weeks.periods.every((day) => new Date(day).getUTCDay() === 1));
  assert.deepEqual([weeks.periods.length, weeks.periods[0], weeks.periods.at(-1)], [13, '2026-01-05', '2026-03-30']);
  const months = await revenue(`${span}&per=month`);
  assert.deepEqual(months.periods, ['2026-01-01', '2026-02-01', '2026-03-01']);
  for (const { periods, totalByPeriod } of [days, weeks, months]) {
    for (const [index, from] of periods.entries()) {
      const begins = from < '2026-01-05' ? '2026-01-05' : from;
      assert.equal(
        micro(totalByPeriod[index] ?? ''),
        await inLedger(`${begins}Z`, `${periods[index + 1] ?? '2026-04-01'}Z`),
        from,
      );
    }
  }
});

test('those who earned less are told together, and nothing is lost', async () => {
  const all = await revenue(`${span}&per=week&by=account`);
  assert.deepEqual([all.items.length, all.others], [3, null]);
  const first = await revenue(`${span}&per=week&by=account&top=1`);
  assert.deepEqual(first.items, all.items.slice(0, 1));
  assert.equal(first.others?.count, 2);
  assert.equal(micro(first.others?.revenue ?? ''), sum(all.items.slice(1).map((item) => item.revenue)));
  assert.deepEqual(first.totalByPeriod, all.totalByPeriod);
  const undivided = await revenue(`${span}&by=account&top=2`);
  assert.deepEqual([undivided.items.length, undivided.others?.count, undivided.periods], [2, 1, []]);
  assert.equal(undivided.total, all.total);
});

test('kinds have names and no ids, and hosts, accounts and datacenters have both', async () => {
  const kinds = await revenue(`${span}&by=kind`);
  assert.deepEqual(new Set(kinds.items.map(({ id, name }) => `${id} ${name}`)), new Set(['null vm', 'null null']));
  const found = await revenue(`${span}&by=account`);
  assert.deepEqual(new Set(found.items.map(({ id }) => id)), new Set(accounts.map((id) => toId('account', id))));
  assert.ok(found.items.every(({ name }) => name !== null));
});

test('where no beginning is said some way is looked back, up to today', async () => {
  const lengths = { day: 30, week: 26, month: 12 };
  for (const [per, length] of Object.entries(lengths)) {
    const found = await revenue(`per=${per}`);
    assert.equal(found.periods.length, length);
    assert.ok(Date.parse(found.periods.at(-1) ?? '') <= Date.now());
    assert.equal(found.from?.slice(0, 10), found.periods[0]);
    assert.equal(found.to, null);
    assert.ok(micro(found.totalByPeriod.at(-1) ?? '') > 0, 'the VM that runs was charged for');
  }
  assert.equal((await revenue('per=month&to=2026-04-01')).periods.at(-1), '2026-03-01');
  assert.deepEqual((await revenue('')).from, null);
});

test('what is too much is refused with what would do', async () => {
  const long = await refused(call, 422, 'invalid_value', 'GET', '/revenue?per=day&from=2020-01-01');
  assert.equal(long.parameter, 'from');
  assert.match(long.detail, /400/);
  await revenue('per=month&from=2020-01-01');
  const wide = await refused(
    call,
    422,
    'invalid_value',
    'GET',
    '/revenue?per=day&from=2026-01-01&to=2026-12-31&top=1000',
  );
  assert.match(wide.detail, /at most 137/);
  await refused(call, 422, 'invalid_value', 'GET', '/revenue?per=day&from=2026-03-01&to=2026-02-01');
  await refused(call, 400, 'malformed', 'GET', '/revenue?per=fortnight');
  await refused(call, 400, 'malformed', 'GET', '/revenue?top=0');
  await refused(callsOf(berth), 403, 'forbidden', 'GET', '/revenue?per=day');
});

test('as CSV it is a table of periods, or of who earned', async () => {
  const csv = async (query: string) => {
    const headers = { authorization: `Bearer ${world.operator}`, accept: 'text/csv' };
    const answer = await fetch(`${berth.url}/berth/v1/revenue?${query}`, { headers });
    assert.equal(answer.status, 200);
    return (await answer.text())
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
  };
  const found = await revenue(`${span}&per=month&by=host`);
  const [heading, ...rows] = await csv(`${span}&per=month&by=host`);
  assert.deepEqual(heading, ['month', ...found.items.map(({ name }) => name), 'all']);
  assert.deepEqual(
    rows.map((row) => [row[0], row.at(-1)]),
    found.periods.map((period, index) => [period, found.totalByPeriod[index]]),
  );
  const whole = await csv(`${span}&by=host&top=1`);
  assert.deepEqual(
    whole.map(([name]) => name),
    ['host', found.items[0]?.name, '1 others', 'all'],
  );
});
