// Backups and their schedules by Bytemark's calls: what clients are shown on the way, what is refused, and what is held for them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { driftOf, openStore } from '../support.ts';
import { call, changed, createBody, created, machines, overview, untilPower, type Vm } from './vms.ts';

interface Backup {
  id: number;
  label: string;
  manual: boolean;
  parent_disc_id: number;
  size: number;
  storage_grade: string;
}

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.65.1.0/24' });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

async function server({ on }: { on: boolean }): Promise<Vm> {
  const { virtual_machine: vm } = await created(berth, createBody());
  await untilPower(berth, vm.name, true);
  if (!on) await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
  return overview(berth, vm.name);
}

const backupsOf = ({ name }: Vm) => `${machines}/${name}/discs/root/backups`;
const schedulesOf = ({ name }: Vm) => `${machines}/${name}/discs/root/backup_schedules`;
const list = async (vm: Vm) => (await call<Backup[]>(berth, 'GET', backupsOf(vm))).body;

async function backedUp(vm: Vm): Promise<Backup> {
  const answer = await call<Backup>(berth, 'POST', backupsOf(vm));
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

const untilFinished = (vm: Vm, label: string) =>
  until(
    `backup ${label}`,
    async () => (await list(vm)).find((one) => one.label === label)?.storage_grade === 'iceberg',
  );

async function soldGib(): Promise<number> {
  const host = await database.selectFrom('host').select('disk_gib_used').executeTakeFirstOrThrow();
  return host.disk_gib_used;
}

test('a backup is asked for without a body, is in progress, and is finished once its grade says so', async () => {
  const vm = await server({ on: true });
  const gib = await soldGib();
  const backup = await backedUp(vm);
  assert.match(backup.label, /^root-backup-\d{14}$/);
  assert.deepEqual([backup.manual, backup.parent_disc_id, backup.size], [true, vm.discs?.[0]?.id, vm.discs?.[0]?.size]);
  assert.notEqual(backup.storage_grade, 'iceberg');
  await untilFinished(vm, backup.label);
  assert.equal(await soldGib(), gib + 25);
  const [disc] = (await overview(berth, vm.name)).discs as unknown as { backup_count: number }[];
  assert.equal(disc?.backup_count, 1);
  for (const name of [backup.label, String(backup.id)]) {
    assert.equal((await call<Backup>(berth, 'GET', `${backupsOf(vm)}/${name}`)).body.id, backup.id);
  }
  assert.equal((await call(berth, 'DELETE', `${backupsOf(vm)}/${backup.label}?purge=true`)).status, 204);
  assert.deepEqual(await list(vm), []);
  await until('its room is free', async () => (await soldGib()) === gib);
  assert.deepEqual(await driftOf(database), []);
});

test('two of one second have labels of their own; one at a time is made of a disc', async () => {
  const vm = await server({ on: true });
  const answers = await Promise.all([1, 2, 3].map(() => call<Backup>(berth, 'POST', backupsOf(vm))));
  const made = answers.filter(({ status }) => status === 200);
  assert.ok(made.length >= 1);
  for (const { status, body } of answers) {
    if (status !== 200) assert.match(JSON.stringify([status, body]), /^\[400,.*is being made/);
  }
  for (const { body } of made) await untilFinished(vm, body.label);
  const again = await backedUp(vm);
  const labels = (await list(vm)).map(({ label }) => label);
  assert.equal(new Set(labels).size, made.length + 1, again.label);
});

test('a disc is restored while its server is off, and what it held is a backup too', async () => {
  const vm = await server({ on: true });
  const backup = await backedUp(vm);
  await untilFinished(vm, backup.label);
  const path = `${backupsOf(vm)}/${backup.label}`;
  const refused = await call(berth, 'PUT', path, { restore: true });
  assert.equal(refused.status, 400);
  assert.match(JSON.stringify(refused.body), /must be off/);
  await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
  assert.equal((await call(berth, 'PUT', path, {})).status, 200);
  assert.equal((await list(vm)).length, 1, 'nothing was asked for');
  assert.equal((await call(berth, 'PUT', path, { restore: true })).status, 200);
  await until('the disc as it was is backed up', async () => {
    const backups = await list(vm);
    return backups.length === 2 && backups.every(({ storage_grade: grade }) => grade === 'iceberg');
  });
  const disk = await database
    .selectFrom('disk')
    .where('number', '=', BigInt(backup.parent_disc_id))
    .selectAll()
    .executeTakeFirstOrThrow();
  assert.deepEqual([disk.imaging, disk.restored_from !== null], [2, true]);
  await changed(berth, vm.name, { autoreboot_on: true, power_on: true });
});

test('a server’s backups go when it is purged, and what they took of the host is free', async () => {
  const gib = await soldGib();
  const vm = await server({ on: true });
  await untilFinished(vm, (await backedUp(vm)).label);
  await call(berth, 'POST', schedulesOf(vm), { start_at: '00:00', interval_seconds: 86_400, capacity: 2 });
  assert.equal((await call(berth, 'DELETE', `${machines}/${vm.name}?purge=true`)).status, 204);
  await until('its host has let go of it', async () => (await soldGib()) === gib);
  const left = await database
    .selectFrom('backup')
    .innerJoin('disk', 'disk.id', 'disk_id')
    .where('disk.number', '=', BigInt(vm.discs?.[0]?.id ?? 0))
    .select('backup.id')
    .execute();
  assert.deepEqual(left, []);
  assert.deepEqual(await driftOf(database), []);
});

test('nothing of a deleted server is backed up, restored or scheduled', async () => {
  const vm = await server({ on: false });
  const backup = await backedUp(vm);
  await untilFinished(vm, backup.label);
  assert.equal((await call(berth, 'DELETE', `${machines}/${vm.name}`)).status, 204);
  const daily = { start_at: '00:00', interval_seconds: 86_400 };
  for (const [method, path, body] of [
    ['POST', backupsOf(vm), undefined],
    ['PUT', `${backupsOf(vm)}/${backup.label}`, { restore: true }],
    ['POST', schedulesOf(vm), daily],
  ] as const) {
    const answer = await call(berth, method, path, body);
    assert.deepEqual([answer.status, /is deleted/.test(JSON.stringify(answer.body))], [400, true], `${method} ${path}`);
  }
});

test('a schedule is shown with its disc, and ends without its backups', async () => {
  const vm = await server({ on: true });
  const answer = await call<{ id: number }>(berth, 'POST', schedulesOf(vm), {
    ...{ start_at: '2017-04-05T14:37:00+02:00', interval_seconds: 3540, capacity: 0 },
  });
  const schedule = { id: answer.body.id, start_at: '2017-04-05T12:37:00.000Z', interval_seconds: 3540, capacity: 1 };
  assert.deepEqual([answer.status, answer.body], [200, schedule]);
  const [disc] = (await overview(berth, vm.name)).discs as unknown as Record<string, unknown>[];
  assert.deepEqual([disc?.backup_schedules, disc?.backups_enabled], [[schedule], true]);
  assert.equal((await call(berth, 'DELETE', `${schedulesOf(vm)}/${schedule.id}`)).status, 204);
  assert.equal((await call(berth, 'DELETE', `${schedulesOf(vm)}/${schedule.id}`)).status, 404);
});

const faults: [what: string, body: unknown, expected: unknown][] = [
  [
    'nothing',
    {},
    { start_at: ['Missing start_at parameter'], interval_seconds: ['Missing interval_seconds parameter'] },
  ],
  [
    'an interval of -1',
    { start_at: '00:00', interval_seconds: -1 },
    { interval_seconds: ['must be greater than or equal to 300'] },
  ],
  [
    'half a second and text',
    { start_at: 'noon', interval_seconds: 300.5, capacity: 1000 },
    {
      ...{ start_at: ['is invalid'], interval_seconds: ['must be an integer'] },
      capacity: ['must be less than or equal to 50'],
    },
  ],
  ['an interval in words', { start_at: '00:00', interval_seconds: 'daily' }, { interval_seconds: ['is not a number'] }],
];

for (const [what, body, expected] of faults) {
  test(`a schedule of ${what} is refused`, async () => {
    const { name } = await server({ on: false });
    const answer = await call(berth, 'POST', `${machines}/${name}/discs/root/backup_schedules`, body);
    assert.deepEqual([answer.status, answer.body], [400, expected]);
  });
}

test('what is not there is told so', async () => {
  const vm = await server({ on: false });
  for (const [method, path] of [
    ['GET', `${machines}/${vm.name}/discs/none/backups`],
    ['POST', `${machines}/${vm.name}/discs/none/backups`],
    ['GET', `${backupsOf(vm)}/none`],
    ['PUT', `${backupsOf(vm)}/999999`],
    ['DELETE', `${backupsOf(vm)}/none`],
    ['DELETE', `${schedulesOf(vm)}/none`],
  ] as const) {
    assert.equal((await call(berth, method, path, method === 'PUT' ? { restore: true } : undefined)).status, 404, path);
  }
});
