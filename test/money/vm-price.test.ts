// Prices that follow what VMs have, on a real database: paid ahead and by the second, refused as a whole, across accounts,
// beside everything else that moves money, and with connections that are cut anywhere.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { sql } from 'kysely';
import type { Principal } from '../../src/app/authenticate.ts';
import { transferBill } from '../../src/app/bill-change.ts';
import { statement } from '../../src/app/ledger.ts';
import { revenueBy } from '../../src/app/revenue.ts';
import { BerthError } from '../../src/model/errors.ts';
import { formatUsd } from '../../src/model/money.ts';
import { inTransaction } from '../../src/store/database.ts';
import { ensurePrice } from '../../src/store/price.ts';
import { changeVms, type VmChange } from './changing.ts';
import { dayMs, hourMs, MoneyWorld, minuteMs, price } from './world.ts';

let world: MoneyWorld;

before(async () => {
  world = await MoneyWorld.start();
});
after(() => world.end());
afterEach(async () => assert.deepEqual(await world.drift(), []));

const rich = 1_000_000_000n;
const isRefused = (code: string) => (error: unknown) => error instanceof BerthError && error.code === code;
const change = (id: string, what: VmChange) => changeVms(world.context, new Map([[id, what]]));

/** A VM that runs, of an account with so much. */
async function vmOf(amount = rich): Promise<{ principal: Principal; id: string }> {
  const principal = await world.account(amount);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  await world.report();
  return { principal, id };
}

const only = async (principal: Principal) => {
  const [vm] = await world.list(principal);
  assert.ok(vm);
  return vm;
};

test('each thing that a VM gets costs its part of the rates that the VM was deployed at, whatever they are now', async () => {
  world.bill('daily-per-vm');
  const { principal, id } = await vmOf();
  const { price_id } = await world.database.selectFrom('host').select('price_id').executeTakeFirstOrThrow();
  const rates = { vcpuMicroUsd: 9n, memoryGibMicroUsd: 9n, storageGibMicroUsd: 9n, publicIpMicroUsd: 9n };
  const other = await inTransaction(world.database, (tx) => {
    return ensurePrice(tx, { id: randomUUID(), rates: { ...rates, gradeGibMicroUsd: {} }, now: world.now });
  });
  await world.database.updateTable('host').set({ price_id: other }).execute();
  const costs = async (what: VmChange, wanted: bigint) => {
    await change(id, what);
    assert.equal((await only(principal)).pricePerEpoch, wanted);
  };
  await costs({ vcpus: 3 }, price + 200_000n);
  await costs({ memoryMib: 2049 }, price + 240_000n);
  await costs({ disk: { label: 'fast', grade: 'ssd', sizeMib: 1025 } }, price + 244_000n);
  await costs({ disk: { label: 'slow', grade: 'archive', sizeMib: 50 } }, price + 244_500n);
  await costs({ address: '127.70.1.1' }, price + 254_500n);
  await costs({ vcpus: 1, memoryMib: 1024 }, price + 14_500n);
  const priced = await world.database
    .selectFrom('event')
    .where('instance_id', '=', id)
    .where('kind', '=', 'instance.priced')
    .select(['message', 'data', 'actor'])
    .orderBy('id')
    .execute();
  assert.equal(priced.length, 6);
  assert.deepEqual(priced[4]?.data, { from: formatUsd(price + 244_500n), to: formatUsd(price + 254_500n) });
  assert.match(priced[4]?.message ?? '', /3 vCPUs, 2049 MiB of memory, 6(\.\d)? GiB on 3 disks, 2 addresses/);
  assert.equal(priced[4]?.actor, 'key:test');
  await world.delete(principal, [id]);
  await world.database.updateTable('host').set({ price_id }).execute();
});

test('paid ahead, the rest of the day costs the difference at once, cheaper counts from the next day on, and the deposit follows', async () => {
  world.bill('daily-per-vm');
  const { principal, id } = await vmOf();
  await world.pass(6 * hourMs, hourMs);
  await change(id, { vcpus: 2 });
  const rest = (100_000n * 18n) / 24n;
  assert.deepEqual(await world.balance(principal), {
    available: rich - 2n * price - rest - 100_000n,
    held: price + 100_000n,
  });
  await change(id, { vcpus: 1 });
  await change(id, { vcpus: 2 });
  assert.equal((await only(principal)).spentMicroUsd, price + rest, 'there and back is paid for already');
  await change(id, { vcpus: 1 });
  assert.equal((await world.balance(principal)).held, price);
  await world.pass(dayMs, 3 * hourMs);
  assert.equal((await only(principal)).spentMicroUsd, 2n * price + rest);
  const lines = await statement(world.context, principal.accountId, { from: new Date(0), to: new Date('2100-01-01') });
  const line = lines.find(({ reason }) => reason.includes('difference'));
  assert.equal(line?.availableMoved, -rest);
  const { available, held } = await world.balance(principal);
  assert.deepEqual([lines.at(-1)?.available, lines.at(-1)?.held], [available, held]);
  await world.delete(principal, [id]);
});

test('by the second, what ran is charged at the price that it ran at', async () => {
  world.bill('per-second');
  const { principal, id } = await vmOf();
  await world.pass(10 * minuteMs + 20_000, minuteMs);
  await change(id, { vcpus: 2 });
  await world.pass(5 * minuteMs + 7_000, minuteMs);
  await change(id, { vcpus: 1 });
  await world.pass(3 * minuteMs, minuteMs);
  await world.delete(principal, [id]);
  const spent = rich - (await world.balance(principal)).available;
  const fair = (price * 1_107_000n + 100_000n * 307_000n) / BigInt(hourMs);
  assert.ok(spent - fair <= 2n && fair - spent <= 2n, `${spent} instead of ${fair}`);
  world.bill('global-daily');
});

test('what the balance does not cover is refused and nothing is changed; less is never refused', async () => {
  world.bill('hourly');
  const { principal, id } = await vmOf(2n * price + 150_000n);
  await change(id, { disk: { label: 'a', grade: 'sata', sizeMib: 10 * 1024 } });
  const before = [await world.balance(principal), await world.list(principal), await world.events(id)];
  await assert.rejects(change(id, { vcpus: 2 }), (error: Error) => {
    return isRefused('insufficient_balance')(error) && /0\.2 USD.*0\.13 USD/.test(error.message);
  });
  assert.deepEqual([await world.balance(principal), await world.list(principal), await world.events(id)], before);
  // The hour after next can't be paid; the deposit is used for it.
  await world.pass(hourMs + minuteMs, 20 * minuteMs);
  await assert.rejects(change(id, { address: '127.70.1.2' }), isRefused('insufficient_balance'));
  await change(id, { status: 'soft-deleted' });
  await change(id, { status: 'active' }).then(
    () => assert.fail('it can’t be paid'),
    (error) => assert.ok(isRefused('insufficient_balance')(error)),
  );
  await world.delete(principal, [id]);
});

test('of two VMs that change in one transaction one pays with what the other sets free, or neither changes', async () => {
  world.bill('hourly');
  const principal = await world.account(4n * price + 100_000n);
  const [one, other] = [(await world.deploy(principal))[0]?.id ?? '', (await world.deploy(principal))[0]?.id ?? ''];
  await world.report();
  await changeVms(world.context, new Map([[one, { memoryMib: 5 * 1024 }]])).catch(() => {});
  assert.deepEqual(await world.balance(principal), { available: 100_000n, held: 2n * price });
  world.now = new Date(world.now.getTime() + hourMs - minuteMs);
  await world.report();
  await change(one, { memoryMib: 5 * 1024 });
  const last = 80_000n / 60n + 1n;
  assert.deepEqual(await world.balance(principal), { available: 20_000n - last, held: 2n * price + 80_000n });
  const swap = new Map<string, VmChange>([
    [other, { memoryMib: 5 * 1024 }],
    [one, { memoryMib: 1024 }],
  ]);
  await changeVms(world.context, swap);
  assert.deepEqual(await world.balance(principal), { available: 20_000n - 2n * last, held: 2n * price + 80_000n });
  await world.delete(principal, [one, other]);
});

test('what is deleted and can be brought back costs what is kept for it, and is gone for good when that is not paid', async () => {
  world.bill('hourly', 1);
  const { principal, id } = await vmOf(2n * price);
  await change(id, { status: 'soft-deleted' });
  assert.deepEqual(await world.balance(principal), { available: 120_000n, held: 15_000n });
  await world.pass(8 * hourMs + minuteMs, 30 * minuteMs);
  assert.deepEqual(await world.balance(principal), { available: 0n, held: 15_000n });
  await world.pass(hourMs, 30 * minuteMs);
  assert.deepEqual(await world.balance(principal), { available: 0n, held: 0n });
  await world.pass(2 * hourMs, 30 * minuteMs);
  await world.report();
  const gone = await world.database
    .selectFrom('instance')
    .where('id', '=', id)
    .select('status')
    .executeTakeFirstOrThrow();
  assert.equal(gone.status, 'deleted');
  assert.deepEqual(await world.list(principal), []);
});

test('a VM that is off keeps its place and is paid for, and by the second it is not', async () => {
  for (const [period, hours] of [
    ['hourly', 4n],
    ['per-second', 1n],
  ] as const) {
    world.bill(period);
    const { principal, id } = await vmOf();
    await world.pass(hourMs, 10 * minuteMs);
    await world.database.updateTable('assignment').set({ desired: 'off' }).where('instance_id', '=', id).execute();
    await world.report();
    await world.pass(2 * hourMs + minuteMs, 10 * minuteMs);
    const { spentMicroUsd } = await only(principal);
    assert.equal(spentMicroUsd, hours * price, period);
    await world.delete(principal, [id]);
  }
});

test('another account takes a VM over: the old one has its deposit back, the new one pays what comes, and both books add up', async () => {
  world.bill('hourly');
  const { principal: old, id } = await vmOf();
  const [poor, next] = [await world.account(price - 1n), await world.account(rich)];
  const give = (to: Principal) =>
    inTransaction(world.database, async (tx) => {
      await transferBill(world.context, tx, id, to.accountId);
      const group = sql<bigint>`(select id from "group" where account_id = ${to.accountId} and name = 'default')`;
      await tx
        .updateTable('instance')
        .set({ account_id: to.accountId, group_id: group })
        .where('id', '=', id)
        .execute();
    });
  await world.pass(90 * minuteMs, 10 * minuteMs);
  await assert.rejects(give(poor), isRefused('insufficient_balance'));
  await give(next);
  assert.deepEqual(await world.balance(old), { available: rich - 2n * price, held: 0n });
  assert.deepEqual(await world.balance(next), { available: rich - price, held: price });
  assert.equal((await only(next)).spentMicroUsd, 0n);
  await world.pass(60 * minuteMs, 10 * minuteMs);
  assert.equal((await only(next)).spentMicroUsd, price);
  await give(old);
  assert.equal((await only(old)).spentMicroUsd, 2n * price, 'what it had cost him before');
  await world.pass(60 * minuteMs, 10 * minuteMs);
  assert.equal((await only(old)).spentMicroUsd, 3n * price);
  const span = { from: new Date(world.now.getTime() - 5 * hourMs), to: new Date('2100-01-01') };
  const [{ revenue } = { revenue: 0n }] = await revenueBy(world.context, span, 'host');
  assert.ok(revenue >= 4n * price);
  await world.delete(old, [id]);
});
