// Orders of a server whose database was put back to an older copy: it counts generations on from there, and so may give one
// number to two orders.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import { until } from '../support/berth.ts';
import { Ordered } from './ordered.ts';

const instanceId = `0x${'5'.repeat(40)}`;
const vm = {
  hostname: 'a',
  vcpus: 1,
  memoryMib: 1024,
  image: { url: 'https://example.com/a.raw', imaging: 1 },
  disks: [{ id: 'd', sizeMib: 5120 }],
  bootNumber: 1,
  autoreboot: false,
  sshKeys: [],
};

test('an order under a number that the host has for another order is given anew, and neither obeyed nor lost', async (t) => {
  const order: Assignment = {
    instanceId,
    generation: 2,
    desired: 'running',
    vm: { ...vm, address: '127.47.2.1', portRules: [] },
  };
  const bench = await Ordered.begin(t, [order]);
  await bench.start(await bench.driver());
  const newest = () => bench.reports.flatMap(({ instances }) => instances).at(-1);
  await until('the VM runs', async () => newest()?.state === 'running', 10_000);

  bench.orders = [{ ...order, desired: 'absent' }];
  await until(
    'the host tells of a number that the server has not given',
    async () => newest()?.generation === 3,
    10_000,
  );
  assert.equal(newest()?.state, 'running', 'an order that is not newer ends nothing');

  bench.orders = [{ ...order, generation: 4, desired: 'absent' }];
  await until('the newer order is obeyed', async () => newest()?.state === 'gone', 10_000);
});
