// Machines read and listed: the whole object, the filter in the customer's words, paging.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { assertRefused, call, letSlots, type Machine, startBody, started, stopped } from './support.ts';

let berth: TestBerth;
let small: Machine[];
let large: Machine[];

before(async () => {
  berth = await startTestBerth();
  small = await letSlots(berth, 3);
  large = await letSlots(berth, 2, { vcpus: 4, memoryGib: 8, diskGib: 20 });
  // The host lets one of its own accord when it gets to it; from then on the list stays as it is.
  await until('all machines are there', async () => (await list()).total === 6);
});
after(() => berth.close());

interface Page {
  total: number;
  current_page: number;
  per_page: number;
  total_pages: number;
  machines: Machine[];
}
const list = async (query = ''): Promise<Page> => {
  const answer = await call<Page>(berth, 'GET', `/machines${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
};
const idOf = ({ machine_id }: Machine): string => machine_id;
/** Which of this test's machines fit; the host lets one of its own accord, too. */
const fitting = async (filter: string): Promise<string[]> => {
  const own = new Set([...small, ...large].map(idOf));
  return (await list(`?filter=${encodeURIComponent(filter)}`)).machines.map(idOf).filter((id) => own.has(id));
};

test('a machine is shown with every field, alike in the list and by its id', async () => {
  const [machine] = (await list()).machines.filter(({ machine_id }) => machine_id === large[0]?.machine_id);
  assert.ok(machine);
  const { machine_prices, hardware_specs, network_info, ...rest } = machine as Machine & { network_info: object };
  assert.deepEqual(rest, {
    machine_id: machine.machine_id,
    status: 'available',
    metadata: { machine_id: machine.machine_id, geo_location: { country: '', city: '' }, cuda_version: '' },
  });
  assert.deepEqual(
    machine_prices.map(({ amount, currency, unit }) => ({ amount, currency, unit })),
    [
      { amount: '0.36', currency: 'USD', unit: 'HOUR' },
      { amount: '8.64', currency: 'USD', unit: 'EPOCH' },
    ],
  );
  const { cpu, ...specs } = hardware_specs;
  assert.equal(cpu.cores, 4);
  assert.deepEqual(specs, { memory_gb: 8, storage_gb: 20, gpus: [] });
  assert.deepEqual(Object.keys(network_info).toSorted(), ['free_ports', 'hostname', 'public_ip']);
  assert.deepEqual((await call(berth, 'GET', `/machines/${machine.machine_id}`)).body, machine);
  assert.deepEqual((await call(berth, 'GET', `/machines/${machine.machine_id.toUpperCase()}`)).body, machine);
});

test('the list is paged, oldest first, and a page past the end is empty', async () => {
  const all = (await list()).machines.map(idOf);
  for (const machine of [...small, ...large]) assert.ok(all.includes(machine.machine_id));
  const paged: string[] = [];
  for (let page = 1; page <= Math.ceil(all.length / 2); page += 1) {
    const { total, current_page, per_page, total_pages, machines } = await list(`?page=${page}&per_page=2`);
    assert.deepEqual([total, current_page, per_page, total_pages], [all.length, page, 2, Math.ceil(all.length / 2)]);
    paged.push(...machines.map(idOf));
  }
  assert.deepEqual(paged, all);
  assert.deepEqual((await list('?page=1000000&per_page=100')).machines, []);
  for (const [query, field] of [
    ['?page=0', 'page'],
    ['?page=1.5', 'page'],
    ['?page=-1', 'page'],
    ['?page=x', 'page'],
    ['?per_page=0', 'per_page'],
    ['?per_page=101', 'per_page'],
    ['?page=1&page=2', 'page'],
  ] as const) {
    const { details } = assertRefused(await call(berth, 'GET', `/machines${query}`), 400, 3, field);
    assert.equal(details[0]?.fieldViolations?.[0]?.field, field, query);
  }
});

test('a filter is met or exceeded, and what is no filter is refused with what would be one', async () => {
  const largeIds = large.map(idOf);
  assert.deepEqual(await fitting('cpu_cores:4,memory_size:8GB,storage_size:20'), largeIds);
  assert.deepEqual(await fitting('memory_size:8.001'), []);
  assert.deepEqual(await fitting(`machine_id:${largeIds[1]}`), [largeIds[1]]);
  assert.deepEqual(await fitting('machine_id:x'), []);
  assert.deepEqual(await fitting('gpu_name:RTX%203090'), []);
  assert.deepEqual((await list('?filter=')).machines.length, (await list()).machines.length);
  for (const [filter, ...words] of [
    ['cpu', 'key:value'],
    ['color:red', 'color', 'gpu_name'],
    ['cpu_cores:many', 'cpu_cores', 'whole number'],
    ['cpu_cores:4,cpu_cores:5', 'twice'],
    ['machine_status:rented', 'available or unavailable'],
    ['x'.repeat(5_000), 'at most'],
  ] as const) {
    const answer = await call(berth, 'GET', `/machines?filter=${encodeURIComponent(filter)}`);
    const { details } = assertRefused(answer, 400, 3, ...words);
    assert.equal(details[0]?.fieldViolations?.[0]?.field, 'filter', filter);
  }
});

test('a rented machine is told of as rented, and is among the unavailable ones until it is free', async () => {
  const machine = small[0] as Machine;
  const id = await started(berth, startBody(machine));
  const shown = await call<Machine>(berth, 'GET', `/machines/${machine.machine_id}`);
  assert.equal(shown.body.status, 'rented');
  assert.deepEqual(await fitting('machine_status:unavailable'), [machine.machine_id]);
  assert.ok(!(await fitting('machine_status:available')).includes(machine.machine_id));
  await stopped(berth, id);
  assert.deepEqual(await fitting('machine_status:unavailable'), []);
});

test('what is no machine is not found; `deployments` is none', async () => {
  for (const id of [randomUUID(), 'x', '%00', '%20', 'x'.repeat(10_000), 'deployment', "';--", `${randomUUID()}x`]) {
    assertRefused(await call(berth, 'GET', `/machines/${id}`), 404, 5, 'There is no machine');
  }
  assert.equal((await call(berth, 'GET', '/machines/deployments')).status, 200);
});
