// Billing on a real database over months that pass in seconds, with two replicas closing every epoch at once.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { creditAccount, debitAccount, statement } from '../../src/app/ledger.ts';
import { revenueBy } from '../../src/app/revenue.ts';
import { BerthError } from '../../src/model/errors.ts';
import { dayMs, hourMs, MoneyWorld, minuteMs, price } from './world.ts';

let world: MoneyWorld;

before(async () => {
  world = await MoneyWorld.start();
});
after(() => world.end());
afterEach(async () => assert.deepEqual(await world.drift(), []));

const rich = 1_000_000_000n;
const isRefused = (code: string) => (error: unknown) => error instanceof BerthError && error.code === code;

test('a month is charged day by day at 17:55 UTC, once each, and the statement says so', async () => {
  world.bill('global-daily');
  const principal = await world.account(rich);
  const [vm] = await world.deploy(principal);
  assert.deepEqual(await world.balance(principal), { available: rich - 2n * price, held: price });
  await world.pass(30 * dayMs, 3 * hourMs);
  const [listed] = await world.list(principal);
  assert.equal(listed?.spentMicroUsd, 31n * price);
  assert.equal(listed?.heldMicroUsd, price);
  assert.match(listed?.nextBillingAt?.toISOString() ?? '', /^2026-03-31T17:55:00/);
  const charges = await world.database
    .selectFrom('charge')
    .where('instance_id', '=', vm?.id ?? '')
    .select('period_begins_at')
    .orderBy('period_begins_at')
    .execute();
  assert.deepEqual(
    charges.slice(1).map((row) => row.period_begins_at.toISOString()),
    Array.from({ length: 30 }, (_, day) => `2026-03-${String(day + 1).padStart(2, '0')}T17:55:00.000Z`),
  );
  const lines = await statement(world.context, principal.accountId, { from: new Date(0), to: new Date('2100-01-01') });
  assert.deepEqual(
    lines.slice(0, 3).map(({ kind }) => kind),
    ['credit', 'charge', 'deposit'],
  );
  assert.equal(lines.length, 33);
  assert.equal(lines.at(-1)?.available, rich - 32n * price);
  const revenue = await revenueBy(world.context, { from: new Date(0), to: new Date('2100-01-01') }, 'host');
  assert.deepEqual(
    revenue.map((row) => row.revenue),
    [31n * price],
  );
  await world.delete(principal, [vm?.id ?? '']);
  assert.deepEqual(await world.balance(principal), { available: rich - 31n * price, held: 0n });
});

test('who rents at 17:45 pays a whole epoch for ten minutes, and the next one at 17:55', async () => {
  world.now = new Date('2026-04-02T17:45:00Z');
  const principal = await world.account(rich);
  const [vm] = await world.deploy(principal);
  await world.report();
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, price);
  await world.pass(11 * minuteMs, minuteMs);
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, 2n * price);
  await world.delete(principal, [vm?.id ?? '']);
  assert.deepEqual(await world.balance(principal), { available: rich - 2n * price, held: 0n });
});

test('after a week without any server what ran is charged, and what did not run is not', async () => {
  world.now = new Date('2026-04-03T12:00:00Z');
  const principal = await world.account(rich);
  const [ran, crashed] = [(await world.deploy(principal))[0]?.id ?? '', (await world.deploy(principal))[0]?.id ?? ''];
  await world.pass(dayMs, 6 * hourMs);
  const spent = async (id: string) => (await world.list(principal)).find((one) => one.id === id)?.spentMicroUsd;
  const before = [await spent(ran), await spent(crashed)];
  assert.deepEqual(before, [2n * price, 2n * price]);
  // Nobody looks for seven days. One runs on; the other went down at once and came up again an hour before the end.
  world.now = new Date(world.now.getTime() + 7 * dayMs);
  world.runs.set(crashed, new Date(world.now.getTime() - hourMs));
  await world.close();
  assert.deepEqual([await spent(ran), await spent(crashed)], before, 'what nobody knows yet waits');
  await world.report();
  await world.close();
  assert.equal(await spent(ran), 9n * price);
  assert.equal(await spent(crashed), 3n * price);
  await world.delete(principal, [ran, crashed]);
});

test('a clock that jumps a year ahead and back charges no day twice and forgets none', async () => {
  const principal = await world.account(rich);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  await world.pass(2 * dayMs, 6 * hourMs);
  const began = world.runs.get(id) as Date;
  world.now = new Date(world.now.getTime() + 365 * dayMs);
  // A host measures how long something runs by a clock that nobody sets.
  world.runs.set(id, new Date(began.getTime() + 365 * dayMs));
  await world.pass(hourMs, 30 * minuteMs);
  world.now = new Date(world.now.getTime() - 365 * dayMs);
  world.runs.set(id, began);
  await world.pass(5 * dayMs, 6 * hourMs);
  const days = await world.database
    .selectFrom('charge')
    .where('instance_id', '=', id)
    .where('period_begins_at', '<=', world.now)
    .select('period_begins_at')
    .execute();
  assert.equal(days.length, 8);
  await world.delete(principal, [id]);
});

test('too little for the next epoch is SmallBalance, the deposit used is InsufficientFunds, then the grace, then the end', async () => {
  const principal = await world.account(2n * price + price / 2n);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  await world.report();
  await world.close();
  const state = async () => {
    const [one] = await world.list(principal);
    return [one?.status, one?.fundsState, one?.heldMicroUsd];
  };
  assert.deepEqual(await state(), ['active', 'small', price]);
  await world.pass(dayMs, 6 * hourMs);
  assert.deepEqual(await state(), ['active', 'none', price / 2n]);
  assert.equal((await world.balance(principal)).available, 0n);
  await world.pass(dayMs, 6 * hourMs);
  assert.deepEqual(await state(), ['active', 'none', price / 2n], 'it runs on during the grace');
  await world.pass(dayMs, 6 * hourMs);
  assert.deepEqual(await state(), ['terminated', 'none', price / 2n]);
  await world.report();
  assert.equal((await world.list(principal))[0]?.nextBillingAt, null);
  assert.equal((await world.list(principal))[0]?.address, null);
  assert.deepEqual(
    (await world.events(id)).filter((kind) => /funds|balance|terminated/.test(kind)),
    ['instance.small_balance', 'instance.insufficient_funds', 'instance.terminated'],
  );
  await world.delete(principal, [id]);
  assert.deepEqual(await world.list(principal), []);
  assert.deepEqual(await world.balance(principal), { available: price / 2n, held: 0n });
});

test('a credit mends what it pays for: a small balance, a used deposit, days that were owed', async () => {
  const principal = await world.account(2n * price);
  await world.deploy(principal);
  await world.report();
  const funds = async () => (await world.list(principal))[0]?.fundsState;
  const credit = (amount: bigint) => creditAccount(world.context, principal.accountId, amount, 'top-up', 'operator');
  assert.equal(await funds(), 'small');
  await credit(price);
  assert.equal(await funds(), 'enough');
  await world.pass(2 * dayMs, 6 * hourMs);
  assert.equal(await funds(), 'none');
  await credit(price);
  assert.deepEqual(await world.balance(principal), { available: 0n, held: price });
  assert.equal(await funds(), 'small');
  await world.pass(2 * dayMs, 6 * hourMs);
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, 4n * price);
  await credit(10n * price);
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, 5n * price, 'the day that was owed is paid at once');
  assert.deepEqual(await world.balance(principal), { available: 8n * price, held: price });
  assert.equal(await funds(), 'enough');
});

test('a deployment that the balance does not cover is refused, says what it needs, and leaves nothing', async () => {
  const principal = await world.account(4n * price - 1n);
  const count = () =>
    world.database
      .selectFrom('instance')
      .select((eb) => eb.fn.countAll().as('count'))
      .executeTakeFirstOrThrow();
  const before = await count();
  await assert.rejects(world.deploy(principal, 2), (error: Error) => {
    return isRefused('insufficient_balance')(error) && /0\.54 USD.*0\.539999 USD/.test(error.message);
  });
  assert.deepEqual(await count(), before);
  await world.deploy(principal, 1);
  assert.deepEqual(await world.balance(principal), { available: 2n * price - 1n, held: price });
});

test('of deployments that together cost too much only those are made that the balance covers', async () => {
  const principal = await world.account(6n * price);
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => world.deploy(principal)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  assert.deepEqual(await world.balance(principal), { available: 0n, held: 3n * price });
});

test('what fails before it was ever active costs nothing', async () => {
  const principal = await world.account(rich);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  world.runs.set(id, null);
  await world.report();
  assert.equal((await world.list(principal))[0]?.status, 'failed');
  assert.deepEqual(await world.balance(principal), { available: rich, held: 0n });
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, 0n);
  await world.report();
  await world.delete(principal, [id]);
  assert.deepEqual(await world.balance(principal), { available: rich, held: 0n });
});

test('what fails after it was active gives back its deposit and no more', async () => {
  const principal = await world.account(rich);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  await world.report();
  world.runs.set(id, null);
  await world.report();
  assert.deepEqual(await world.balance(principal), { available: rich - price, held: 0n });
});

test('days of one’s own are counted from the activation', async () => {
  world.bill('daily-per-vm');
  const principal = await world.account(rich);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  world.now = new Date(world.now.getTime() + hourMs);
  await world.report();
  const active = world.now.getTime();
  assert.equal((await world.list(principal))[0]?.nextBillingAt?.getTime(), active + dayMs);
  await world.pass(dayMs - minuteMs, 6 * hourMs);
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, price);
  await world.pass(2 * minuteMs, minuteMs);
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, 2n * price);
  await world.delete(principal, [id]);
});

test('by the hour, each hour begun is charged', async () => {
  world.bill('hourly');
  const principal = await world.account(rich);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  await world.report();
  await world.pass(5 * hourMs + minuteMs, 20 * minuteMs);
  assert.equal((await world.list(principal))[0]?.spentMicroUsd, 6n * price);
  await world.delete(principal, [id]);
});

test('by the second, what ran is charged after it ran, to the second, and the deposit goes back', async () => {
  world.bill('per-second');
  const principal = await world.account(rich);
  const [{ id } = { id: '' }] = await world.deploy(principal);
  assert.deepEqual(await world.balance(principal), { available: rich - price, held: price });
  await world.report();
  await world.pass(90 * minuteMs + 12_000, 4 * minuteMs);
  await world.delete(principal, [id]);
  const ran = (price * BigInt(90 * minuteMs + 12_000)) / BigInt(hourMs);
  assert.deepEqual(await world.balance(principal), { available: rich - ran, held: 0n });
  world.bill('global-daily');
});

test('an operator’s debit takes what is available and no more, and both ways ask for a reason', async () => {
  const principal = await world.account(1_000_000n);
  const { accountId } = principal;
  await debitAccount(world.context, accountId, 400_000n, 'goodwill was a mistake', 'operator');
  assert.equal((await world.balance(principal)).available, 600_000n);
  await assert.rejects(
    debitAccount(world.context, accountId, 600_001n, 'more', 'operator'),
    isRefused('insufficient_balance'),
  );
  await assert.rejects(creditAccount(world.context, accountId, 0n, 'nothing', 'operator'), isRefused('invalid_value'));
  await assert.rejects(creditAccount(world.context, accountId, 1n, ' ', 'operator'), isRefused('invalid_value'));
  assert.equal((await world.balance(principal)).available, 600_000n);
});

test('entries that don’t sum to zero, and any change of what was written, are refused by the database', async () => {
  const { accountId } = await world.account(1n);
  const { database } = world;
  const id = '00000000-0000-4000-8000-000000000001';
  const row = { id, kind: 'credit' as const, account_id: accountId, instance_id: null, reason: 'r', actor: 'a' };
  await database
    .insertInto('ledger_transaction')
    .values({ ...row, created_at: world.now })
    .execute();
  const entry = { transaction_id: id, account_id: accountId, host_id: null, amount_micro_usd: 5n };
  await assert.rejects(
    database
      .insertInto('ledger_entry')
      .values({ ...entry, book: 'available' })
      .execute(),
    /sum to zero/,
  );
  for (const table of ['ledger_transaction', 'ledger_entry', 'charge'] as const) {
    await assert.rejects(database.deleteFrom(table).execute(), /never change/);
  }
});
