// `PATCH /vms/v3`: renames VMs and replaces their open ports to the letter, all of a request or nothing of it.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSimulatedVms } from '../../../src/sim/driver.ts';
import { startTestBerth, until } from '../../support/berth.ts';
import {
  assertRefused,
  deployBody,
  deployed,
  driftOf,
  holdings,
  openStore,
  removed,
  untilStatus,
  vmOf,
} from '../support.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const tcp = (port: number) => ({ port, protocol: 'tcp' });
const patch = (...updates: Record<string, unknown>[]) => berth.call('PATCH', '/vms/v3', { updates });
const unknown = `0x${'0'.repeat(40)}`;

async function active(vm: Record<string, unknown> = {}): Promise<string> {
  const [id = ''] = await deployed(berth, deployBody(vm));
  await untilStatus(berth, id, 'Active');
  return id;
}

/** The ports that the host has really opened. */
async function opened(id: string): Promise<unknown> {
  return (await readSimulatedVms(join(berth.directory, 'agent', 'world'))).get(id)?.spec.portRules;
}

test('a change is answered with 204 and no body', async () => {
  const id = await active();
  const answer = await patch({ id, vmName: 'patched-1' });
  assert.equal(answer.status, 204);
  assert.equal(answer.body, null);
  assert.equal(answer.headers.get('content-type'), null);
});

test('ports are replaced to the letter, also on the host: what is not listed is closed, SSH included', async () => {
  const id = await active({ openPorts: [tcp(80), tcp(443)] });
  for (const openPorts of [[tcp(8080), { port: 53, protocol: 'udp' }], [tcp(22)], [], [tcp(22), tcp(80)]]) {
    assert.equal((await patch({ id, openPorts })).status, 204);
    const sorted = openPorts.toSorted((a, b) => a.port - b.port);
    assert.deepEqual((await vmOf(berth, id))?.ports, sorted);
    await until('the host has the new ports', async () => JSON.stringify(await opened(id)) === JSON.stringify(sorted));
  }
  const vm = await vmOf(berth, id);
  assert.equal(vm?.status, 'Active', 'the VM ran on');
  assert.deepEqual(await driftOf(database), []);
});

test('what is null or left out stays as it is', async () => {
  const id = await active({ name: 'stays', openPorts: [tcp(80)] });
  const before = await vmOf(berth, id);
  for (const update of [{}, { vmName: null }, { openPorts: null }, { vmName: null, openPorts: null }, { unknown: 1 }]) {
    assert.equal((await patch({ id, ...update })).status, 204);
  }
  const { nextBillingAt: _one, ...then } = before ?? {};
  const { nextBillingAt: _two, ...now } = (await vmOf(berth, id)) ?? {};
  assert.deepEqual(now, then);
  assert.equal((await patch({ id, vmName: 'renamed', openPorts: null })).status, 204);
  assert.deepEqual((await vmOf(berth, id))?.ports, [tcp(22), tcp(80)]);
});

test('an id in another case is the same VM', async () => {
  const id = await active();
  assert.equal((await patch({ id: `0x${id.slice(2).toUpperCase()}`, vmName: 'upper' })).status, 204);
  assert.equal((await vmOf(berth, id))?.vmName, 'upper');
});

test('a wrong part of a request undoes the rest of it', async () => {
  const id = await active({ name: 'whole' });
  const other = await active({ name: 'other' });
  await active({ name: 'third' });
  const good = { id, vmName: 'half', openPorts: [tcp(9000)] };
  const wrong: [status: number, update: Record<string, unknown>, ...words: string[]][] = [
    [404, { id: unknown, vmName: 'x' }, unknown, 'nothing was changed'],
    [404, { id: 'x', vmName: 'x' }, '"x"'],
    [404, { id: `${id}0` }, id],
    [409, { id: other, vmName: 'third' }, '"third"'],
    [422, { id: other, vmName: 'not good' }, 'updates[1].vmName', '"not good"'],
    [422, { id: other, vmName: '' }, 'updates[1].vmName'],
    [422, { id: other, openPorts: [tcp(0)] }, 'updates[1].openPorts[0].port', '0'],
    [422, { id: other, openPorts: [tcp(10250)] }, 'updates[1].openPorts[0].port', '10250'],
    [422, { id: other, openPorts: [tcp(80), tcp(80)] }, 'updates[1].openPorts[1]', '80/tcp'],
    [422, { id: other, openPorts: [{ port: 80, protocol: 'icmp' }] }, 'updates[1].openPorts[0].protocol', 'icmp'],
    [422, { id, vmName: 'again' }, 'updates', id, 'twice'],
    [422, { id: id.toUpperCase(), vmName: 'again' }, 'twice'],
    [400, { vmName: 'x' }, 'updates[1]', 'id'],
    [400, { id: null }, 'updates[1].id', 'null'],
    [400, { id: other, openPorts: [{ port: '80', protocol: 'tcp' }] }, 'updates[1].openPorts[0].port'],
  ];
  const before = await holdings(database);
  for (const [status, update, ...words] of wrong) {
    assertRefused(await patch(good, update), status, ...words);
    assert.deepEqual(await holdings(database), before);
    assert.equal((await vmOf(berth, id))?.vmName, 'whole');
    assert.deepEqual((await vmOf(berth, id))?.ports, [tcp(22)]);
  }
});

test('updates apply in the order given: a name that one VM gives up can be taken by the next', async () => {
  const ids = [await active({ name: 'left' }), await active({ name: 'right' })].sort();
  const nameOf = async (id: string) => (await vmOf(berth, id))?.vmName;
  for (const [turn, [first = '', second = '']] of [ids, ids.toReversed()].entries()) {
    const given = await nameOf(first);
    assert.equal((await patch({ id: first, vmName: `turn-${turn}` }, { id: second, vmName: given })).status, 204);
    assert.equal(await nameOf(second), given);
  }
});

test('a body that is none of the documented shape is a 400', async () => {
  for (const body of [{}, { updates: null }, { updates: {} }, { updates: [null] }, { updates: ['x'] }, []]) {
    assertRefused(await berth.call('PATCH', '/vms/v3', body), 400);
  }
  assertRefused(await berth.call('PATCH', '/vms/v3', '{'), 400, 'JSON');
});

test('an empty list of updates changes nothing', async () => {
  assert.equal((await patch()).status, 204);
});

test('several VMs are changed by one request, also two of one deployment to one name', async () => {
  const ids = await deployed(berth, deployBody({}, { instances: 3 }));
  const answer = await patch(...ids.map((id, index) => ({ id, vmName: 'together', openPorts: [tcp(1000 + index)] })));
  assert.equal(answer.status, 204);
  for (const [index, id] of ids.entries()) {
    const vm = await vmOf(berth, id);
    assert.deepEqual([vm?.vmName, vm?.ports], ['together', [tcp(1000 + index)]]);
  }
});

test('ports of one VM changed by many requests at once end as one of them said', async () => {
  const id = await active();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => patch({ id, openPorts: [tcp(2000 + index), tcp(3000 + index)] })),
  );
  assert.ok(answers.every(({ status }) => status === 204));
  const ports = (await vmOf(berth, id))?.ports ?? [];
  assert.equal(ports.length, 2);
  assert.equal((ports[1]?.port ?? 0) - (ports[0]?.port ?? 0), 1000);
  await until('the host agrees', async () => JSON.stringify(await opened(id)) === JSON.stringify(ports));
});

test('a deleted VM can’t be changed', async () => {
  const id = await active();
  await removed(berth, database, [id]);
  assertRefused(await patch({ id, vmName: 'ghost' }), 404, id);
});

test('a failed VM keeps its reason: it can be renamed, its ports can’t be changed', async () => {
  const failing = await startTestBerth({ agent: { behaviour: { imageFailureChance: 1 } } });
  try {
    const [id = ''] = await deployed(failing, deployBody());
    await untilStatus(failing, id, 'Failed');
    const update = (change: object) => failing.call('PATCH', '/vms/v3', { updates: [{ id, ...change }] });
    assertRefused(await update({ openPorts: [tcp(80)] }), 409, id, 'has failed');
    assert.equal((await update({ vmName: 'buried' })).status, 204);
    const vm = await vmOf(failing, id);
    assert.deepEqual([vm?.vmName, vm?.status], ['buried', 'Failed']);
    await deployed(failing, deployBody({ name: 'buried' }));
  } finally {
    await failing.close();
  }
});
