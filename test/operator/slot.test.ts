// What an operator says of slots on the command line, and what customers then see.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../src/store/database.ts';
import { openStore, untilGone } from '../api/support.ts';
import { startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { Operator } from './support.ts';

interface Slot {
  id: string;
  host: string;
  name: string;
  state: string;
  status: string;
  whyInactive: string | null;
  vcpus: number;
  memoryGib: number;
  storageGib: number;
  gpus: string[];
  prices: { id: string; unit: string; usd: string }[];
  account: string | null;
  instance: string | null;
}
interface Machine {
  machine_id: string;
  status: string;
  machine_prices: { id: string; amount: string; unit: string }[];
}

const hardware = {
  cpu: {
    ...{ manufacturer: 'AMD', brand: 'EPYC', architecture: 'Zen', generation: '3', model: 'AMD EPYC 7763' },
    ...{ cores: 64, threads: 64 },
  },
  memory: { type: 'DDR', generation: '4' },
  ...{ disks: [], addresses: [] },
  gpus: [
    { id: 'GPU-1', name: 'NVIDIA GeForce RTX 3090', memoryMib: 24_576, cudaVersion: '12.6' },
    { id: 'GPU-2', name: 'NVIDIA GeForce RTX 3090', memoryMib: 24_576, cudaVersion: '12.6' },
  ],
};

let berth: TestBerth;
let database: Database;
let operator: Operator;
let host: string;

before(async () => {
  const behaviour = { bootMs: 5, eraseMs: 5, startFailureChance: 0, imageFailureChance: 0 };
  const capacity = { cores: 64, memoryMib: 256 * 1024, diskGib: 10_000 };
  berth = await startTestBerth({
    addressPool: '127.58.128.0/24',
    up: { simulated: { behaviour, capacity, hardware } },
  });
  database = await openStore(berth);
  operator = new Operator(berth.directory);
  await until('the machine has its first slot', async () => (await list()).length === 1);
  host = (await list())[0]?.host ?? '';
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const list = async () => (await operator.json<{ slots: Slot[] }>('slot', 'list')).slots;
const named = async (name: string) => (await list()).find((slot) => slot.name === name);
const machines = async (filter = '') => {
  const path = `/vendors/v1/machines?filter=${encodeURIComponent(filter)}`;
  return (await berth.call<{ machines: Machine[] }>('GET', path)).body.machines;
};
const size = ['--vcpus', '4', '--memory-gib', '8', '--storage-gib', '50'];

test('a machine that runs containers begins with one slot, which customers see at its price', async () => {
  const [first, ...others] = await list();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [first?.name, first?.vcpus, first?.memoryGib, first?.storageGib, first?.gpus, first?.status],
    ['slot-1', 64, 128, 50, ['GPU-1', 'GPU-2'], 'available'],
  );
  const [machine] = await machines();
  assert.equal(machine?.machine_id, first?.id);
  assert.deepEqual(
    machine?.machine_prices.map(({ unit, amount }) => [unit, amount]),
    first?.prices.map(({ unit, usd }) => [unit.toUpperCase(), usd]),
  );
  assert.match(await operator.text('slot', 'list'), /slot-1 +available/);
});

test('a slot is added, found, given another price, closed, opened and removed', async () => {
  await operator.text('slot', 'remove', `${host}/slot-1`);
  const { id } = await operator.json<{ id: string }>(
    ...['slot', 'add', host, 'gpu-1', ...size, '--gpu', 'GPU-1', '--hour', '0.42', '--epoch', '9.5'],
  );
  await operator.text('slot', 'add', host, 'plain', ...size, '--epoch', '2');
  assert.deepEqual(
    (await machines('gpu_name:RTX 3090,memory_size:8GB')).map(({ machine_id }) => machine_id),
    [id],
  );
  await operator.text('slot', 'price', `${host}/gpu-1`, '--hour', '0.5', '--epoch', 'none');
  const [machine] = await machines(`machine_id:${id}`);
  assert.deepEqual(
    machine?.machine_prices.map(({ unit, amount }) => [unit, amount]),
    [['HOUR', '0.5']],
  );
  assert.match(await operator.text('slot', 'close', id), /is closed/);
  assert.match(await operator.text('slot', 'close', id), /already/);
  assert.deepEqual([(await named('gpu-1'))?.status, (await named('gpu-1'))?.whyInactive], ['inactive', 'it is closed']);
  assert.equal((await machines('machine_status:available')).length, 1);
  await operator.text('slot', 'open', id);
  assert.equal((await machines('machine_status:available')).length, 2);
  await operator.text('slot', 'remove', id);
  assert.equal((await machines()).length, 1);
  assert.equal((await berth.call('GET', `/vendors/v1/machines/${id}`)).status, 404);
});

test('a slot that is rented shows by whom, and is not removed', async () => {
  const [machine] = await machines();
  const body = {
    ...{ machine_id: machine?.machine_id, machine_price_id: machine?.machine_prices[0]?.id },
    container_config: { image: 'nginx', ports: [] },
  };
  const started = await berth.call<{ deployment_id: string }>('POST', '/vendors/v1/machines/deployments/start', body);
  assert.equal(started.status, 200, JSON.stringify(started.body));
  const rented = await named('plain');
  assert.equal(rented?.status, 'rented');
  assert.ok(rented?.account && rented.instance);
  assert.match(await operator.text('slot', 'list'), new RegExp(`plain +rented +${rented.account}`));
  await operator.refused(['slot', 'remove', `${host}/plain`], 'rented', 'close');
  await operator.text('slot', 'close', `${host}/plain`);
  assert.equal((await named('plain'))?.status, 'rented', 'who rents it keeps it');
  await berth.call('POST', `/vendors/v1/machines/deployments/${started.body.deployment_id}/stop`, {});
  await untilGone(database, [rented.instance]);
  await operator.text('slot', 'remove', `${host}/plain`);
});

test('what can’t be is refused with the part at fault, and changes nothing', async () => {
  await operator.text('slot', 'add', host, 'one', ...size, '--gpu', 'GPU-1', '--hour', '1');
  const before = await list();
  const add = (name: string, ...rest: string[]) => ['slot', 'add', host, name, ...rest];
  await operator.refused(add('one', ...size, '--hour', '1'), '"one"', 'already');
  await operator.refused(add('two/three', ...size, '--hour', '1'), 'the name');
  await operator.refused(add('two', ...size), '--hour', '--epoch');
  await operator.refused(add('two', ...size, '--hour', 'cheap'), '--hour', '"cheap"');
  await operator.refused(add('two', ...size, '--hour', '1', '--gpu', 'GPU-7'), '"GPU-7"', 'GPU-1, GPU-2');
  await operator.refused(add('two', ...size, '--hour', '1', '--gpu', 'GPU-1'), '"GPU-1"', 'one');
  await operator.refused(add('two', ...size, '--hour', '1', '--vcpus', '65'), '--vcpus', '64');
  await operator.refused(add('two', ...size, '--hour', '1', '--memory-gib', 'x'), '--memory-gib');
  await operator.refused(['slot', 'add', 'nobody', 'two', ...size, '--hour', '1'], '"nobody"');
  await operator.refused(['slot', 'price', `${host}/one`], '--hour', '--epoch');
  await operator.refused(['slot', 'price', `${host}/one`, '--hour', 'none'], 'price', 'close');
  for (const unknown of [`${host}/none`, 'one', '00000000-0000-4000-8000-000000000000']) {
    await operator.refused(['slot', 'close', unknown], JSON.stringify(unknown));
  }
  assert.deepEqual(await list(), before);
});

test('after a restart the machine’s first slot stays removed', async () => {
  await berth.restart();
  await operator.text('slot', 'remove', `${host}/one`);
  await until('the machine has reported again', async () => {
    const { hosts } = await operator.json<{ hosts: { reachable: boolean }[] }>('host', 'list');
    return hosts[0]?.reachable === true;
  });
  assert.deepEqual(await list(), []);
  assert.equal(await operator.text('slot', 'list'), 'There are none.\n');
});
