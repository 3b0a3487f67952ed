// What hosts have and nobody owns, over Berth's own API: shown, and removed when an operator says so.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseId, toId } from '../../../src/api/native/id.ts';
import { listRemovals, writeOrphans } from '../../../src/store/orphan.ts';
import { until } from '../../support/berth.ts';
import { deployed, holdings, removed, untilStatus, vmOf } from '../support.ts';
import { allOf, callsOf, done, type Page, refused } from './calls.ts';
import { startWorld } from './world.ts';

interface Orphan {
  instance: string;
  host: string;
  state: string;
  address: string | null;
  vcpus: number;
  removing: boolean;
}

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());
const call = callsOf(berth, world.operator);
const record = (id: string) => join(berth.directory, 'agent', 'records', `${id}.json`);

/** A VM that runs and that the database has forgotten, as after it was put back to an older copy. */
async function forgotten(): Promise<{ id: string; address: string }> {
  const [id = ''] = await deployed(berth);
  await untilStatus(berth, id, 'Active');
  const address = (await vmOf(berth, id))?.publicIp ?? '';
  await database.deleteFrom('assignment').where('instance_id', '=', id).execute();
  return { id, address };
}

const path = (id: string) => `/orphans/${toId('instance', id)}`;
const shown = (id: string) => call<Orphan>('GET', path(id));
const untilShown = (id: string) => until(`${id} is shown`, async () => (await shown(id)).status === 200);
const kindsAbout = async (id: string) => {
  const events = database.selectFrom('event').where('kind', 'like', 'orphan.%').select(['kind', 'actor', 'data']);
  return (await events.orderBy('id').execute()).filter(({ data }) => data?.instance === id);
};

test('an orphan runs on until an operator has it removed; then nothing of it is left, and its address is free', async () => {
  const { id, address } = await forgotten();
  await untilShown(id);
  const orphan = await done<Orphan>(call, 200, 'GET', path(id));
  assert.deepEqual([orphan.state, orphan.address, orphan.removing], ['running', address, false]);
  assert.deepEqual(await allOf<Orphan>(call, `/orphans?host=${orphan.host}`), [orphan]);
  assert.equal((await call('DELETE', `${path(id)}?dryRun=true`)).status, 202);
  assert.equal((await done<Orphan>(call, 200, 'GET', path(id))).removing, false);

  assert.equal((await done<Orphan>(call, 202, 'DELETE', path(id))).removing, true);
  await until('it is gone', async () => (await shown(id)).status === 404);
  const held = await database.selectFrom('address').where('ip', '=', address).select('ip').execute();
  assert.deepEqual(held, []);
  const events = await kindsAbout(id);
  assert.deepEqual(
    events.map(({ kind, actor }) => [kind, actor.split(':')[0]]),
    [
      ['orphan.removal_ordered', 'user'],
      ['orphan.removed', 'agent'],
    ],
  );
  // Its host knew which disks were its own, and keeps knowing that it was erased.
  const { assignment, goneAt } = JSON.parse(readFileSync(record(id), 'utf8'));
  assert.deepEqual([assignment.desired, assignment.vm.disks.length, typeof goneAt], ['absent', 1, 'string']);
  await refused(call, 404, 'not_found', 'DELETE', path(id));
});

test('an orphan that its host has no record of is removed, too', async () => {
  const { id } = await forgotten();
  rmSync(record(id));
  await berth.restart();
  await until('its host tells of what it sees', async () => (await shown(id)).body.vcpus === 0);
  await done(call, 202, 'DELETE', path(id));
  await until('it is gone', async () => (await shown(id)).status === 404);
  assert.ok(existsSync(record(id)), 'that it was erased is known');
});

test('of what hosts have, that alone is removed which an operator names', async () => {
  const [one, other] = [await forgotten(), await forgotten()];
  const [owned = ''] = await deployed(berth);
  await untilStatus(berth, owned, 'Active');
  await untilShown(one.id);
  await untilShown(other.id);
  await done(call, 202, 'DELETE', path(one.id));
  await until('it is gone', async () => (await shown(one.id)).status === 404);
  const left = await done<Orphan>(call, 200, 'GET', path(other.id));
  assert.deepEqual([left.state, left.removing], ['running', false]);
  await untilStatus(berth, owned, 'Active');
  await refused(call, 404, 'not_found', 'DELETE', path(owned));
  await removed(berth, database, [owned]);
  await done(call, 202, 'DELETE', path(other.id));
  await until('the other one is gone', async () => (await shown(other.id)).status === 404);
});

test('a host that does not answer is told when it does; told twice is told once', async () => {
  const id = await world.make('instance', 'ins_0a1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b');
  const orphan = await done<Orphan>(call, 202, 'DELETE', `/orphans/${id}`);
  const held = await holdings(database);
  assert.deepEqual(await done(call, 202, 'DELETE', `/orphans/${id}`), orphan);
  assert.deepEqual(await holdings(database), held);
  const hostId = parseId('host', orphan.host) ?? '';
  const instanceId = parseId('instance', id) ?? '';
  assert.deepEqual(await listRemovals(database, hostId, 0n), [{ instanceId, generation: 1 }]);
  // A host that has a newer order than the removal was is told with one that is newer still.
  const seen = { instanceId, hostId, state: 'running', address: null, vcpus: 1, memoryMib: 1024, diskGib: 5 };
  await writeOrphans(database, [{ ...seen, generation: 7 }], new Date());
  assert.deepEqual(await listRemovals(database, hostId, 0n), [{ instanceId, generation: 8 }]);
  await writeOrphans(database, [{ ...seen, generation: 8 }], new Date());
  assert.deepEqual(await listRemovals(database, hostId, 0n), [{ instanceId, generation: 8 }]);
  // Found elsewhere, it is another orphan.
  const { items } = await done<Page<{ id: string }>>(call, 200, 'GET', '/hosts?reachable=true');
  const elsewhere = parseId('host', items[0]?.id ?? '') ?? '';
  await writeOrphans(database, [{ ...seen, hostId: elsewhere, generation: 8 }], new Date());
  assert.deepEqual(await listRemovals(database, elsewhere, 0n), []);
});

test('what is owned again is not removed', async () => {
  const [id = ''] = await deployed(berth);
  await untilStatus(berth, id, 'Active');
  const { host_id: hostId } = await database
    .selectFrom('assignment')
    .where('instance_id', '=', id)
    .select('host_id')
    .executeTakeFirstOrThrow();
  const orphan = { instance_id: id, host_id: hostId, state: 'running', ip: null, seen_at: new Date() };
  await database
    .insertInto('orphan')
    .values({ ...orphan, vcpus: 1, memory_mib: 1024, disk_gib: 5, removal_generation: 9, removal_revision: 1n })
    .execute();
  assert.deepEqual(await listRemovals(database, hostId, 0n), []);
  await untilStatus(berth, id, 'Active');
  await removed(berth, database, [id]);
});

test('orphans are nothing to customers', async () => {
  const customer = callsOf(berth);
  const orphan = 'ins_0a1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b';
  for (const [method, at] of [
    ['GET', '/orphans'],
    ['GET', `/orphans/${orphan}`],
    ['DELETE', `/orphans/${orphan}`],
  ] as const) {
    await refused(customer, 403, 'forbidden', method, at);
  }
  await refused(call, 404, 'not_found', 'GET', '/orphans/17');
  await refused(call, 422, 'invalid_value', 'GET', '/orphans?host=17');
});
