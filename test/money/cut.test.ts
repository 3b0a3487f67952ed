// Prices that change while connections to the database are cut at any statement, and two replicas close hours meanwhile:
// whatever was carried out was carried out as a whole and once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Context } from '../../src/app/context.ts';
import { parseUsd } from '../../src/model/money.ts';
import { openDatabase } from '../../src/store/database.ts';
import { changeVms } from './changing.ts';
import { hourMs, MoneyWorld, minuteMs } from './world.ts';

const rounds = 10;
const vmsEach = 4;
/** So that a slow machine gets through as well: every cut costs a transaction or several, which are begun anew. */
const cutsEachRound = 8;

let world: MoneyWorld;

before(async () => {
  world = await MoneyWorld.start();
});
after(() => world.end());

/** Does it again as long as a connection is cut under it. */
async function insistently(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const outcome = await act().then(
      () => 'done',
      (error: Error) => (/terminat|connection|timeout|ECONNRESET|EPIPE/i.test(error.message) ? 'cut' : error),
    );
    if (outcome === 'done') return;
    if (outcome !== 'cut') throw outcome;
  }
}

/** What the changes of an hour that is paid ahead must have cost, by the events that tell of them. */
async function fairDifferences(instanceId: string): Promise<bigint> {
  const { rows } = await sql<{ at: Date; from: string; to: string }>`
    select created_at as at, data ->> 'from' as from, data ->> 'to' as to from event
    where instance_id = ${instanceId} and kind = 'instance.priced' order by id`.execute(world.database);
  const { rows: bills } = await sql<{ anchor: Date }>`
    select anchor_at as anchor from bill where instance_id = ${instanceId}`.execute(world.database);
  const anchor = bills[0]?.anchor.getTime() ?? 0;
  let cost = 0n;
  let [hour, paidAt] = [-1, 0n];
  for (const row of rows) {
    const [from = 0n, to = 0n] = [parseUsd(row.from) ?? 0n, parseUsd(row.to) ?? 0n];
    const passed = row.at.getTime() - anchor;
    if (Math.floor(passed / hourMs) !== hour) [hour, paidAt] = [Math.floor(passed / hourMs), from];
    const restMs = BigInt(hourMs - (passed % hourMs));
    if (to > paidAt) cost += ((to - paidAt) * restMs + BigInt(hourMs) - 1n) / BigInt(hourMs);
    paidAt = to > paidAt ? to : paidAt;
  }
  return cost;
}

test('connections cut anywhere under changes and closing: each difference is charged once, each hour once', async () => {
  world.bill('hourly');
  const principals = [await world.account(10n ** 12n), await world.account(10n ** 12n)];
  const ids: string[] = [];
  for (const principal of principals) ids.push(...(await world.deploy(principal, vmsEach)).map(({ id }) => id));
  await world.report();
  await world.close();
  const knife = openDatabase(world.connectionString, () => {});
  let isOver = false;
  let [cuts, left] = [0, 0];
  const cutting = (async () => {
    for (; !isOver; await sleep(20)) {
      if (left <= 0) continue;
      const { rows } = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'berth' and state <> 'idle' and pid <> pg_backend_pid()
        order by random() limit 1`.execute(knife);
      cuts += rows.length;
      left -= rows.length;
    }
  })();
  const contextOf = (index: number) => world.replicas[index % 2] as Context;
  try {
    for (let round = 0; round < rounds; round += 1) {
      world.now = new Date(world.now.getTime() + 17 * minuteMs);
      left = cutsEachRound;
      await insistently(() => world.report());
      await Promise.all([
        insistently(() => world.close()),
        ...ids.map(async (id, index) => {
          const vcpus = 1 + ((round * 7 + index * 3) % 5);
          await insistently(() => changeVms(contextOf(index + round), new Map([[id, { vcpus }]])));
        }),
      ]);
    }
  } finally {
    isOver = true;
    await cutting;
    await knife.destroy();
  }
  assert.ok(cuts > rounds, `only ${cuts} connections were cut`);
  await world.report();
  await world.close();
  assert.deepEqual(await world.drift(), []);
  const hours = BigInt(Math.floor((rounds * 17 * minuteMs) / hourMs) + 1);
  for (const id of ids) {
    const { rows } = await sql<{ differences: bigint; periods: bigint }>`
      select coalesce(sum(amount_micro_usd) filter (where price_change > 0), 0)::bigint as differences,
        count(*) filter (where price_change = 0) as periods
      from charge where instance_id = ${id}`.execute(world.database);
    assert.equal(rows[0]?.differences, await fairDifferences(id));
    assert.equal(rows[0]?.periods, hours);
  }
});
