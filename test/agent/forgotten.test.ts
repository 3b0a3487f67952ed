// An agent that has lost its records finds a VM that is off. It was on before, so it is neither started of itself nor ever given up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import { calm, until } from '../support/berth.ts';
import { Ordered } from './ordered.ts';

const instanceId = `0x${'5'.repeat(40)}`;
const vm = {
  ...{ hostname: 'web-1', vcpus: 1, memoryMib: 512, sshKeys: [], address: '127.49.9.2', portRules: [] },
  ...{ bootNumber: 1, autoreboot: false, image: null, disks: [] },
};
const order: Assignment = { instanceId, generation: 1, desired: 'running', vm };

test('a VM that is off stays off when its record is lost, and is not given up when its next start fails', async (t) => {
  const bench = await Ordered.begin(t, [order]);
  const before = await bench.driver();
  await before.run({ instanceId, ...vm }, () => {}, new AbortController().signal);
  await before.lose(instanceId, 'off');
  await bench.start(await bench.driver({ ...calm, imageFailureChance: 1 }));
  const seen = () => bench.reports.flatMap(({ instances }) => instances);
  await until('it is told of', async () => seen().length > 0);
  assert.deepEqual(new Set(seen().map(({ state }) => state)), new Set(['off']));
  bench.orders = [{ ...order, generation: 2, vm: { ...vm, bootNumber: 2 } }];
  await until('its start has failed', async () => seen().some(({ reason }) => reason?.includes('404') === true));
  assert.deepEqual(
    seen().filter(({ state }) => state === 'failed'),
    [],
  );
});
