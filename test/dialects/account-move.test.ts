// A VM that is given to another account by Bytemark's calls, seen by both accounts through Fluence's: it costs one and then
// the other, and both books add up.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createAccount } from '../../src/app/account.ts';
import { createApiKey } from '../../src/app/api-key.ts';
import type { Database } from '../../src/store/database.ts';
import { addUser, asOperator, grant, tokenOf } from '../api/bytemark/identity.ts';
import { type Send, sender } from '../api/bytemark/reading.ts';
import { createBody, created, machines, untilPower } from '../api/bytemark/vms.ts';
import { credit, openStore, type Vm } from '../api/support.ts';
import { callApi, startTestBerth, type TestBerth, withinOneEpoch } from '../support/berth.ts';
import { assertInOrder, costOf, fluenceIdOf } from './support.ts';

let berth: TestBerth;
let database: Database;
/** Somebody who runs both accounts. */
let send: Send;
let otherId: string;
let otherKey: string;
let otherGroup: number;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.70.3.0/24' });
  database = await openStore(berth);
  const user = await addUser(berth, 'default');
  await asOperator(berth, async (context) => {
    otherId = (await createAccount(context, 'other', 'name')).id;
    const key = { name: 'test', scope: 'full', expiresAt: null };
    const fields = { name: 'name', scope: 'scope', expiresAt: 'expiry' };
    otherKey = (await createApiKey(context, otherId, key, fields)).secret;
  });
  await grant(berth, user.username, 'account_admin', { account: 'other' });
  send = sender(berth, await tokenOf(berth, user));
  const groups = await send<{ id: number }[]>('GET', '/accounts/other/groups');
  otherGroup = groups.body[0]?.id ?? 0;
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});
afterEach(() => assertInOrder(database));

const listOf = async (key: string) => (await callApi<Vm[]>(berth.url, key, 'GET', '/vms/v3')).body;
const balanceOf = (accountId: string) =>
  database
    .selectFrom('account_balance')
    .where('account_id', '=', accountId)
    .select(['available_micro_usd as available', 'held_micro_usd as held'])
    .executeTakeFirstOrThrow();

test('it is refused while the other account can’t pay the deposit, and then costs the one what it has cost and the other what comes', async () => {
  await withinOneEpoch();
  const { virtual_machine } = await created(berth, createBody({ name: 'given' }));
  await untilPower(berth, 'given', true);
  const id = await fluenceIdOf(berth, 'given');
  const { price, spent } = await costOf(berth, id);
  const refused = await send('PUT', `${machines}/given`, { group_id: otherGroup });
  assert.equal(refused.status, 400, JSON.stringify(refused.body));
  assert.match(JSON.stringify(refused.body), /balance/);
  assert.equal((await listOf(otherKey)).length, 0);
  await credit(database, otherId, 1_000_000n);
  const { account_id } = await database
    .selectFrom('instance')
    .where('id', '=', id)
    .select('account_id')
    .executeTakeFirstOrThrow();
  const before = await balanceOf(account_id);
  await asOperator(berth, (context) => createAccount(context, 'third', 'name'));
  const guest = await addUser(berth, 'third');
  await grant(berth, guest.username, 'vm_admin', { account: 'default', group: 'default', vm: 'given' });
  const sendAsGuest = sender(berth, await tokenOf(berth, guest));
  assert.equal((await sendAsGuest('GET', `/virtual_machines/${virtual_machine.id}`)).status, 200);
  const moved = await send('PUT', `${machines}/given`, { group_id: otherGroup });
  assert.equal(
    (await sendAsGuest('GET', `/virtual_machines/${virtual_machine.id}`)).status,
    404,
    'whom the old account let in is out',
  );
  assert.equal(moved.status, 200, JSON.stringify(moved.body));
  assert.deepEqual(await listOf(berth.apiKey), []);
  const [shown] = await listOf(otherKey);
  assert.deepEqual([shown?.id, shown?.pricePerEpoch, shown?.totalSpent], [id, price, '0']);
  const held = BigInt(Math.round(Number(price) * 1_000_000));
  assert.deepEqual(await balanceOf(account_id), { available: before.available + held, held: before.held - held });
  assert.deepEqual(await balanceOf(otherId), { available: 1_000_000n - held, held });
  assert.equal(spent, price);
  // There it is theirs alone: they make it larger, and delete it.
  const machine = `/virtual_machines/${virtual_machine.id}`;
  const path = '/accounts/other/groups/default/virtual_machines/given';
  assert.equal((await send('PUT', path, { cores: 2 })).status, 200);
  assert.equal((await send<{ cores: number }>('GET', machine)).body.cores, 2);
  assert.equal((await send('DELETE', `${path}?purge=true`)).status, 204);
  const left = await balanceOf(otherId);
  assert.equal(left.held, 0n);
  assert.ok(left.available > 900_000n - 1n && left.available < 1_000_000n, 'the rest of the day with the second core');
});
