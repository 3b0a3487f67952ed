// Management addresses: one for each VM out of the installation's pool, as long as there are any.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addPool } from '../../src/app/host-terms.ts';
import { setConsolePool } from '../../src/app/management-address.ts';
import { reconcileConsoles } from '../../src/reconcilers/console.ts';
import type { Database } from '../../src/store/database.ts';
import { asOperator } from '../api/bytemark/identity.ts';
import { deployBody, deployed, openStore, removed } from '../api/support.ts';
import { startTestBerth, type TestBerth } from '../support/berth.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.68.6.0/24' });
  database = await openStore(berth);
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const setPool = (pool: string) => asOperator(berth, (context) => setConsolePool(context, pool));
const reconcile = () => asOperator(berth, reconcileConsoles);
const addressOf = async (vm: string) => {
  const query = database.selectFrom('management_address').where('instance_id', '=', vm).select('ip');
  return (await query.executeTakeFirst())?.ip;
};

test('without a pool VMs have none; with the first one those that are there get theirs', async () => {
  const [vm = ''] = await deployed(berth);
  assert.equal(await addressOf(vm), undefined);
  await setPool('127.69.6.0/30');
  assert.match((await addressOf(vm)) ?? '', /^127\.69\.6\.[12]$/, 'neither the network nor its broadcast address');
  await removed(berth, database, [vm]);
});

test('a pool that is taken gives none, refuses nobody a VM, and gives again what becomes free', async () => {
  const vms = await deployed(berth, deployBody({}, { instances: 3 }));
  const addresses = await Promise.all(vms.map(addressOf));
  assert.deepEqual(addresses.filter((ip) => ip !== undefined).toSorted(), ['127.69.6.1', '127.69.6.2']);
  const without = vms[addresses.indexOf(undefined)] ?? '';
  const [leaving = ''] = vms.filter((vm) => vm !== without);
  const free = await addressOf(leaving);
  await reconcile();
  assert.equal(await addressOf(without), undefined);
  await removed(berth, database, [leaving]);
  await reconcile();
  assert.equal(await addressOf(without), free);
});

test('another pool counts for VMs that come; those that are there keep their addresses', async () => {
  const before = await database.selectFrom('management_address').selectAll().execute();
  await setPool('127.69.7.0/24');
  const [vm = ''] = await deployed(berth);
  assert.match((await addressOf(vm)) ?? '', /^127\.69\.7\./);
  const after = await database.selectFrom('management_address').where('instance_id', '<>', vm).selectAll().execute();
  assert.deepEqual(after, before);
});

test('a pool that is malformed, too large or too small, or that instances have addresses of, is refused', async () => {
  for (const pool of ['127.69.6.1/24', 'here', '127.0.0.0/8', '127.69.6.0/31']) {
    await assert.rejects(setPool(pool), /must be an IPv4 range/, pool);
  }
  await assert.rejects(setPool('127.68.6.128/25'), /host .+ gives out 127\.68\.6\.0\/24; choose a range of its own/);
  const { name } = await database.selectFrom('host').select('name').executeTakeFirstOrThrow();
  const another = asOperator(berth, (context) => addPool(context, name, '127.69.7.0/25', 'pool'));
  await assert.rejects(another, /overlaps 127\.69\.7\.0\/24 of consoles/);
  assert.deepEqual(await database.selectFrom('console_front').select('pool').execute(), [{ pool: '127.69.7.0/24' }]);
});

test('a hundred VMs at once get a hundred addresses', async () => {
  const bodies = Array.from({ length: 20 }, () => deployBody({}, { instances: 5 }));
  const vms = (await Promise.all(bodies.map((body) => deployed(berth, body)))).flat();
  const addresses = await Promise.all(vms.map(addressOf));
  assert.equal(new Set(addresses.filter((ip) => ip !== undefined)).size, 100);
});
