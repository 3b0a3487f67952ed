// What a VM's status says of its account's money, and what happens where there is none.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { toVm, toVmStatus } from '../../../src/api/fluence/mapping.ts';
import { sha256 } from '../../../src/app/authenticate.ts';
import { callApi, startTestBerth, until, withinOneEpoch } from '../../support/berth.ts';
import { assertRefused, type Deployed, deployBody, holdings, imageUrl, openStore, type Vm } from '../support.ts';
import { epyc } from './market.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

/** Adds an account with so many micro-USD. @returns its id, its key, and a way to give it more */
async function addAccount(amount: bigint) {
  const [id, key] = [randomUUID(), `berth_${randomUUID()}`];
  const created_at = new Date();
  await database.insertInto('account').values({ id, name: id, created_at }).execute();
  await database
    .insertInto('api_key')
    .values({ id: randomUUID(), account_id: id, name: 'k', secret_sha256: sha256(key), created_at, revoked_at: null })
    .execute();
  const credit = async (micro: bigint) => {
    const transaction_id = randomUUID();
    const row = { id: transaction_id, account_id: id, reason: 'test', actor: 'test', created_at };
    await database
      .insertInto('ledger_transaction')
      .values({ ...row, kind: 'credit', instance_id: null })
      .execute();
    await database
      .insertInto('ledger_entry')
      .values([
        { transaction_id, book: 'available', account_id: id, host_id: null, amount_micro_usd: micro },
        { transaction_id, book: 'cash', account_id: null, host_id: null, amount_micro_usd: -micro },
      ])
      .execute();
  };
  if (amount > 0n) await credit(amount);
  return { key, credit };
}

test('who can’t pay the first epoch and the deposit is refused with 402 before anything exists', async () => {
  // The smallest configuration is 0.135 an epoch.
  for (const [amount, instances] of [
    [0n, 1],
    [269_999n, 1],
    [270_000n, 2],
  ] as const) {
    const { key } = await addAccount(amount);
    const held = await holdings(database);
    assertRefused(await callApi(berth.url, key, 'POST', '/vms/v3', deployBody({}, { instances })), 402);
    assert.deepEqual(await holdings(database), held);
    assert.deepEqual((await callApi(berth.url, key, 'GET', '/vms/v3')).body, []);
  }
});

test('a VM whose next epoch can’t be paid is SmallBalance, in the list and in the status, and keeps its address', async () => {
  await withinOneEpoch();
  const { key, credit } = await addAccount(270_000n);
  const [vm] = (await callApi<Deployed>(berth.url, key, 'POST', '/vms/v3', deployBody())).body;
  const one = async () => (await callApi<Vm[]>(berth.url, key, 'GET', '/vms/v3')).body[0];
  await until('it runs', async () => (await one())?.publicIp !== null);
  const shown = await one();
  assert.deepEqual([shown?.status, shown?.reservedBalance, shown?.totalSpent], ['SmallBalance', '0.135', '0.135']);
  const polled = await callApi<Vm[]>(berth.url, key, 'GET', `/vms/v3/status?ids=${vm?.vmId}`);
  assert.deepEqual(
    polled.body.map(({ status, publicIp }) => [status, publicIp]),
    [['SmallBalance', shown?.publicIp]],
  );
  await credit(135_000n);
  assert.equal((await one())?.status, 'Active');
});

const row = {
  kind: 'vm' as const,
  id: `0x${'1'.repeat(40)}`,
  name: 'row',
  hostname: 'row',
  statusReason: null,
  period: 'global-daily' as const,
  anchorAt: new Date(0),
  statusChangedAt: new Date('2026-01-01T00:00:00Z'),
  vcpus: 2,
  memoryMib: 4_096,
  diskGib: 25,
  storageType: 'NVMe' as const,
  cpuModel: null,
  hardware: epyc,
  datacenter: {
    id: 'x',
    slug: 'pl-poz-1',
    countryCode: 'PL',
    cityCode: 'POZ',
    cityIndex: 1,
    tier: 4,
    certifications: [],
  },
  imageUrl,
  priceMicroUsd: 306_970n,
  pricePerEpoch: 306_970n,
  address: '192.0.2.1',
  addressCount: 1,
  portRules: [],
  createdAt: new Date('2026-01-01T00:00:00Z'),
  heldMicroUsd: 306_970n,
  spentMicroUsd: 2_455_760n,
  paidUntil: new Date('2026-01-01T17:55:00Z'),
  fundsChangedAt: new Date('2026-01-01T00:00:00Z'),
  nextBillingAt: new Date('2026-01-01T17:55:00Z'),
};

test('only of what runs the status tells how its account stands', () => {
  const cases = [
    ['launching', 'none', 'Launching'],
    ['active', 'enough', 'Active'],
    ['active', 'small', 'SmallBalance'],
    ['active', 'none', 'InsufficientFunds'],
    ['stopped', 'none', 'Stopped'],
    ['failed', 'none', 'Failed'],
    ['terminated', 'none', 'Terminated'],
  ] as const;
  for (const [status, fundsState, word] of cases) {
    const shown = toVm({ ...row, status, fundsState });
    assert.equal(shown.status, word);
    assert.equal(toVmStatus({ ...row, status, fundsState }).status, word);
    assert.equal(shown.publicIp, status === 'active' ? '192.0.2.1' : null);
  }
});

test('a terminated VM is shown as the contract shows one: no datacenter, no address, no next billing, its reserve', () => {
  const shown = toVm({ ...row, status: 'terminated', fundsState: 'none', address: null, nextBillingAt: null });
  const { status, datacenter, publicIp, reservedBalance, totalSpent } = shown;
  assert.deepEqual(
    { status, datacenter, publicIp, reservedBalance, totalSpent },
    { status: 'Terminated', datacenter: null, publicIp: null, reservedBalance: '0.30697', totalSpent: '2.45576' },
  );
  assert.ok(!('nextBillingAt' in shown));
});
