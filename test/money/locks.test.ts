// Everything that moves money at once: deployments, deletions, reports, credits and two replicas that close epochs. Locks are
// taken in one order, so the database never has to break a deadlock.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { terminateInstances } from '../../src/app/instance-end.ts';
import { creditAccount } from '../../src/app/ledger.ts';
import { changeVms, type VmChange } from './changing.ts';
import { hourMs, MoneyWorld, price } from './world.ts';

let world: MoneyWorld;

before(async () => {
  world = await MoneyWorld.start();
});
after(() => world.end());

async function countDeadlocks(): Promise<number> {
  const { rows } = await sql<{ deadlocks: bigint }>`
    select deadlocks from pg_stat_database where datname = current_database()`.execute(world.database);
  return Number(rows[0]?.deadlocks);
}

test('deployments, changes, deletions, reports, credits and closing at once never wait for each other in a circle', async () => {
  world.bill('hourly');
  const principals = [await world.account(1_000_000_000n), await world.account(1_000_000_000n)];
  const before = await countDeadlocks();
  for (let round = 0; round < 15; round += 1) {
    // The host was heard of ten seconds before the hour ends.
    world.now = new Date(world.now.getTime() + hourMs - 10_000);
    await world.report();
    world.now = new Date(world.now.getTime() + 10_000);
    await Promise.all([
      ...principals.flatMap((principal) => [
        world.deploy(principal, 2),
        world.deploy(principal, 3),
        creditAccount(world.context, principal.accountId, 1n, 'test', 'test'),
      ]),
      ...principals.map(async (principal) => {
        const [first, second] = await world.list(principal);
        if (first && second) await world.delete(principal, [second.id, first.id]);
      }),
      ...principals.map(async (principal, index) => {
        // The last two in one transaction, one growing and one shrinking, by either replica.
        const [one, other] = (await world.list(principal)).slice(-2);
        const context = world.replicas[index % 2] ?? world.context;
        const changes = [one, other].flatMap((vm, at): [string, VmChange][] => {
          return vm ? [[vm.id, { vcpus: 1 + ((round + at) % 2) }]] : [];
        });
        await changeVms(context, new Map(changes));
      }),
      world.report(),
      world.close(),
    ]);
  }
  // The database's own count arrives with the end of a connection's activity; a fresh look is forced.
  await sql`select pg_stat_clear_snapshot()`.execute(world.database);
  assert.equal((await countDeadlocks()) - before, 0);
  await world.report();
  assert.deepEqual(await world.drift(), []);
});

test('an instance found overdue is not ended when its account was credited meanwhile', async () => {
  world.bill('hourly', 1);
  const principal = await world.account(2n * price);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  await world.report();
  world.now = new Date(world.now.getTime() + 4 * hourMs);
  await world.report();
  // Found overdue at this moment; the credit comes before the end does.
  await creditAccount(world.context, principal.accountId, 10n * price, 'top-up', 'test');
  await terminateInstances(world.context, [id]);
  assert.equal((await world.list(principal))[0]?.status, 'active');
  assert.equal((await world.list(principal))[0]?.fundsState, 'enough');
});
