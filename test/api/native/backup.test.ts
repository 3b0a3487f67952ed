// Backups and their schedules by Berth's own API: made, listed, restored and erased, what is refused, and that nothing is left of it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { driftOf, openStore } from '../support.ts';
import { allOf, type Call, callsOf, done, type Machine, machine, refused, watcherOf } from './calls.ts';

interface Backup {
  id: string;
  disk: string;
  instance: string;
  label: string;
  sizeMib: number;
  state: string;
  schedule: string | null;
  createdAt: string;
}
interface Schedule {
  id: string;
  disk: string;
  instance: string;
  startAt: string;
  intervalSeconds: number;
  capacity: number;
}
interface Disk {
  id: string;
  backups: number;
  restoredFrom: string | null;
}

let berth: TestBerth;
let database: Database;
let call: Call;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.67.2.0/24' });
  database = await openStore(berth);
  call = callsOf(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

const diskOf = async ({ id }: Machine) => (await allOf<Disk>(call, `/disks?instance=${id}`))[0]?.id ?? '';

/** Asks for a backup and waits until it is there. */
async function backedUp(disk: string): Promise<Backup> {
  const { id } = await done<Backup>(call, 201, 'POST', `/disks/${disk}/backups`);
  let shown: Backup | undefined;
  await until(`backup ${id}`, async () => {
    shown = await done<Backup>(call, 200, 'GET', `/backups/${id}`);
    return shown.state === 'ready';
  });
  return shown as Backup;
}

/** How many rows there are that only these calls write. */
async function rows(): Promise<number[]> {
  const counts: number[] = [];
  for (const table of ['backup', 'backup_schedule'] as const) {
    const { count } = await database
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<bigint>().as('count'))
      .executeTakeFirstOrThrow();
    counts.push(Number(count));
  }
  return counts;
}

async function refusedWhole(...request: Parameters<typeof refused>) {
  const before = await rows();
  const problem = await refused(...request);
  assert.deepEqual(await rows(), before);
  return problem;
}

test('a disk of a VM that runs is backed up, and the backup is found by its id, its disk and its VM', async () => {
  const vm = await machine(berth, { on: true });
  const disk = await diskOf(vm);
  const answer = await call<Backup>('POST', `/disks/${disk}/backups`);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.match(answer.body.id, /^bak_[0-9a-f]{32}$/);
  assert.equal(answer.headers.get('location'), `/berth/v1/backups/${answer.body.id}`);
  assert.deepEqual([answer.body.disk, answer.body.instance, answer.body.schedule], [disk, vm.id, null]);
  await until('it is ready', async () => {
    const { state } = await done<Backup>(call, 200, 'GET', `/backups/${answer.body.id}`);
    return state === 'ready';
  });
  const second = await backedUp(disk);
  const both = await allOf<Backup>(call, `/backups?disk=${disk}`);
  assert.deepEqual(both, [{ ...answer.body, state: 'ready' }, second]);
  assert.deepEqual(await allOf(call, `/backups?instance=${vm.id}&account=default`), both);
  assert.equal((await done<Disk>(call, 200, 'GET', `/disks/${disk}`)).backups, 2);
  const wrong = await refused(call, 422, 'invalid_value', 'GET', '/backups?disk=1');
  assert.equal(wrong.parameter, 'disk');
  assert.equal((await refused(call, 422, 'invalid_value', 'GET', '/backups?cursor=WyJ4Il0')).parameter, 'cursor');
});

test('a backup under a key is made once, and not at all as a dry run', async () => {
  const disk = await diskOf(await machine(berth, { on: true }));
  const before = await rows();
  assert.equal((await done<Backup>(call, 201, 'POST', `/disks/${disk}/backups?dryRun=true`)).state, 'wanted');
  assert.deepEqual(await rows(), before);
  const headers = { 'idempotency-key': randomUUID() };
  const path = `/disks/${disk}/backups`;
  const answers = await Promise.all([1, 2, 3].map(() => call<Backup>('POST', path, undefined, headers)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
});

test('a backup is restored while its VM is off, and what the disk held is a backup, too', async () => {
  const vm = await machine(berth, { on: false });
  const disk = await diskOf(vm);
  const backup = await backedUp(disk);
  const before = await rows();
  assert.equal((await call('POST', `/backups/${backup.id}/restore?dryRun=true`)).status, 202);
  assert.deepEqual(await rows(), before);
  const restored = await done<Disk>(call, 202, 'POST', `/backups/${backup.id}/restore`);
  assert.deepEqual([restored.id, restored.restoredFrom, restored.backups], [disk, backup.id, 2]);
  await until('what it held is backed up', async () =>
    (await allOf<Backup>(call, `/backups?disk=${disk}`)).every(({ state }) => state === 'ready'),
  );
});

test('a backup is not restored while its VM is on', async () => {
  const vm = await machine(berth, { on: true });
  const disk = await diskOf(vm);
  const backup = await backedUp(disk);
  await refusedWhole(call, 409, 'wrong_state', 'POST', `/backups/${backup.id}/restore`);
});

test('a backup is erased', async () => {
  const disk = await diskOf(await machine(berth, { on: true }));
  const backup = await backedUp(disk);
  const stale = { 'if-match': '"other"' };
  await refused(call, 412, 'precondition_failed', 'DELETE', `/backups/${backup.id}`, undefined, stale);
  assert.equal((await call('DELETE', `/backups/${backup.id}?dryRun=true`)).status, 204);
  assert.equal((await call('DELETE', `/backups/${backup.id}`)).status, 204);
  await refused(call, 404, 'not_found', 'GET', `/backups/${backup.id}`);
  await refused(call, 404, 'not_found', 'DELETE', `/backups/${backup.id}`);
  await refused(call, 404, 'not_found', 'POST', `/backups/${backup.id}/restore`);
  assert.deepEqual(await allOf(call, `/backups?disk=${disk}`), []);
});

test('a schedule is added, found and ended', async () => {
  const vm = await machine(berth, { on: true });
  const disk = await diskOf(vm);
  const path = `/disks/${disk}/backup-schedules`;
  const body = { startAt: '2099-11-20T03:30:00Z', intervalSeconds: 86_400, capacity: 7 };
  const answer = await call<Schedule>('POST', path, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { body: schedule, headers } = answer;
  const shown = { ...body, startAt: '2099-11-20T03:30:00.000Z', id: schedule.id, disk, instance: vm.id };
  assert.deepEqual(schedule, shown);
  assert.equal(headers.get('location'), `/berth/v1/backup-schedules/${schedule.id}`);
  assert.deepEqual(await done(call, 200, 'GET', `/backup-schedules/${schedule.id}`), schedule);
  const daily = await done<Schedule>(call, 201, 'POST', path, { startAt: '03:30', intervalSeconds: 86_400 });
  assert.equal(daily.capacity, 1);
  assert.match(daily.startAt, /T03:30:00\.000Z$/);
  assert.deepEqual(await allOf(call, `/backup-schedules?disk=${disk}`), [schedule, daily]);
  assert.deepEqual(await allOf(call, `/backup-schedules?instance=${vm.id}`), [schedule, daily]);
  const seen = { 'if-match': headers.get('etag') ?? '' };
  assert.equal((await call('DELETE', `/backup-schedules/${schedule.id}`, undefined, seen)).status, 204);
  await refused(call, 404, 'not_found', 'GET', `/backup-schedules/${schedule.id}`);
  await refused(call, 404, 'not_found', 'DELETE', `/backup-schedules/${schedule.id}`);
  assert.deepEqual(await allOf(call, `/backup-schedules?disk=${disk}`), [daily]);
});

test('a backup that a schedule has made names it, until the schedule is ended', async () => {
  const disk = await diskOf(await machine(berth, { on: true }));
  const body = { startAt: '2020-01-01T00:00:00Z', intervalSeconds: 300 };
  const { id } = await done<Schedule>(call, 201, 'POST', `/disks/${disk}/backup-schedules`, body);
  await database
    .updateTable('backup_schedule')
    .set({ done_at: new Date('2020-01-02T00:00:00Z') })
    .where('id', '=', BigInt(id.slice('sch_'.length)))
    .execute();
  await until('a backup is made by it', async () => {
    const [backup] = await allOf<Backup>(call, `/backups?disk=${disk}`);
    return backup?.state === 'ready' && backup.schedule === id;
  });
  assert.equal((await call('DELETE', `/backup-schedules/${id}`)).status, 204);
  const [backup] = await allOf<Backup>(call, `/backups?disk=${disk}`);
  assert.equal(backup?.schedule, null);
});

test('a schedule that is not right is told field by field', async () => {
  const disk = await diskOf(await machine(berth, { on: true }));
  const path = `/disks/${disk}/backup-schedules`;
  const wrong = await refusedWhole(call, 422, 'invalid_value', 'POST', path, {
    startAt: '2026-02-30 12:00',
    intervalSeconds: 5,
    capacity: 1_000,
  });
  assert.deepEqual(wrong.errors?.map(({ pointer }) => pointer).toSorted(), [
    '#/capacity',
    '#/intervalSeconds',
    '#/startAt',
  ]);
  const huge = { startAt: '03:30', intervalSeconds: Number.MAX_SAFE_INTEGER };
  assert.equal((await refusedWhole(call, 422, 'invalid_value', 'POST', path, huge)).pointer, '#/intervalSeconds');
  for (const body of [{}, { startAt: '03:30' }, { startAt: 3, intervalSeconds: 300 }]) {
    await refusedWhole(call, 400, 'malformed', 'POST', path, body);
  }
  for (let count = 0; count < 10; count += 1) {
    await done(call, 201, 'POST', path, { startAt: '03:30', intervalSeconds: 86_400 });
  }
  await refusedWhole(call, 409, 'wrong_state', 'POST', path, { startAt: '03:30', intervalSeconds: 86_400 });
});

test('who sees one VM sees its backups and schedules and no others, and changes none', async () => {
  const [vm, other] = [await machine(berth, { on: false }), await machine(berth, { on: false })];
  const [disk, theirs] = [await diskOf(vm), await diskOf(other)];
  const made: { backup: Backup; schedule: Schedule }[] = [];
  for (const one of [disk, theirs]) {
    const body = { startAt: '03:30', intervalSeconds: 86_400 };
    const schedule = await done<Schedule>(call, 201, 'POST', `/disks/${one}/backup-schedules`, body);
    made.push({ backup: await backedUp(one), schedule });
  }
  const [own, hidden] = made;
  const watcher = await watcherOf(berth, database, vm);
  assert.deepEqual(await allOf(watcher, '/backups'), [own?.backup]);
  assert.deepEqual(await allOf(watcher, '/backup-schedules'), [own?.schedule]);
  assert.deepEqual(await done(watcher, 200, 'GET', `/backups/${own?.backup.id}`), own?.backup);
  for (const [status, code, one, of] of [
    [403, 'forbidden', disk, own],
    [404, 'not_found', theirs, hidden],
  ] as const) {
    await refusedWhole(watcher, status, code, 'POST', `/disks/${one}/backups`);
    await refusedWhole(watcher, status, code, 'POST', `/backups/${of?.backup.id}/restore`);
    await refusedWhole(watcher, status, code, 'DELETE', `/backups/${of?.backup.id}`);
    await refusedWhole(watcher, status, code, 'DELETE', `/backup-schedules/${of?.schedule.id}`);
    const body = { startAt: '03:30', intervalSeconds: 86_400 };
    await refusedWhole(watcher, status, code, 'POST', `/disks/${one}/backup-schedules`, body);
  }
  await refused(watcher, 404, 'not_found', 'GET', `/backups/${hidden?.backup.id}`);
  await refused(watcher, 404, 'not_found', 'GET', `/backup-schedules/${hidden?.schedule.id}`);
});

test('nothing disagrees after all of this', async () => {
  await until('the host has made and erased what it was told to', async () => {
    const left = await database.selectFrom('backup').where('state', '!=', 'ready').select('id').execute();
    return left.length === 0;
  });
  assert.deepEqual(await driftOf(database), []);
});
