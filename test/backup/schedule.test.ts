// Schedules of backups over weeks, on a real database, with two replicas and a clock that the test sets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Principal } from '../../src/app/authenticate.ts';
import { createBackup } from '../../src/app/backup.ts';
import { addBackupSchedule } from '../../src/app/backup-schedule.ts';
import { reconcileBackups } from '../../src/reconcilers/backup.ts';
import { listBackups } from '../../src/store/backup.ts';
import { dayMs, hourMs, MoneyWorld } from '../money/world.ts';

let world: MoneyWorld;
let owner: Principal;

before(async () => {
  world = await MoneyWorld.start();
  owner = await world.account(10n ** 12n);
});
after(() => world?.end());

/** A VM that runs, and its disk. */
async function subject(): Promise<{ instanceId: string; diskId: string }> {
  const [deployed] = await world.deploy(owner);
  assert.ok(deployed);
  await world.report();
  const disk = await world.database
    .selectFrom('disk')
    .where('instance_id', '=', deployed.id)
    .select('id')
    .executeTakeFirstOrThrow();
  return { instanceId: deployed.id, diskId: disk.id };
}

/** One pass of both replicas at once, and what the host makes of it. */
async function pass(): Promise<void> {
  await Promise.all(world.replicas.map((replica) => reconcileBackups(replica)));
  await world.report();
}

const days = (backups: readonly { createdAt: Date }[]) => backups.map(({ createdAt }) => createdAt.toISOString());

test('two replicas make one backup a day, and of a week the last three stay', async () => {
  world.now = new Date('2026-05-01T12:00:00Z');
  const { instanceId, diskId } = await subject();
  const schedule = { startAt: '00:00', intervalSeconds: 86_400, capacity: 3 };
  await addBackupSchedule(world.context, instanceId, diskId, schedule);
  const manual = await createBackup(world.context, { instanceId, diskId }, { actor: 'test', scheduleId: null });
  await world.report();
  for (const end = world.now.getTime() + 7 * dayMs; world.now.getTime() < end; ) {
    world.now = new Date(world.now.getTime() + 6 * hourMs);
    await pass();
  }
  const backups = await listBackups(world.database, [diskId]);
  assert.deepEqual(days(backups), [
    manual.createdAt.toISOString(),
    ...['2026-05-06T00:00:00.000Z', '2026-05-07T00:00:00.000Z', '2026-05-08T00:00:00.000Z'],
  ]);
  assert.deepEqual(await world.drift(), []);
});

test('what nobody was there for is not piled up: of a week’s pause one backup is made', async () => {
  world.now = new Date('2026-06-01T12:00:00Z');
  const { instanceId, diskId } = await subject();
  const schedule = { startAt: '2026-06-01 13:00:00', intervalSeconds: 3_600, capacity: 50 };
  await addBackupSchedule(world.context, instanceId, diskId, schedule);
  await pass();
  assert.deepEqual(await listBackups(world.database, [diskId]), [], 'none is due yet');
  world.now = new Date('2026-06-08T12:30:00Z');
  await pass();
  await pass();
  assert.deepEqual(days(await listBackups(world.database, [diskId])), ['2026-06-08T12:30:00.000Z']);
  world.now = new Date('2026-06-08T13:00:00Z');
  await pass();
  assert.equal((await listBackups(world.database, [diskId])).length, 2, 'and goes on in its rhythm');
});

test('one that can’t be made is passed over, and the next one is made', async () => {
  world.now = new Date('2026-07-01T12:00:00Z');
  const { instanceId, diskId } = await subject();
  await addBackupSchedule(world.context, instanceId, diskId, {
    ...{ startAt: '2026-07-01 13:00:00', intervalSeconds: 3_600, capacity: 5 },
  });
  const limits = await world.database.selectFrom('host').select('disk_gib_limit').executeTakeFirstOrThrow();
  const fill = (limit: number) => world.database.updateTable('host').set({ disk_gib_limit: limit }).execute();
  const { disk_gib_used: used } = await world.database
    .selectFrom('host')
    .select('disk_gib_used')
    .executeTakeFirstOrThrow();
  await fill(used);
  world.now = new Date('2026-07-01T13:00:00Z');
  await Promise.all(world.replicas.map((replica) => reconcileBackups(replica)));
  assert.deepEqual(await listBackups(world.database, [diskId]), []);
  await fill(limits.disk_gib_limit);
  await pass();
  assert.deepEqual(await listBackups(world.database, [diskId]), [], 'it is not made up for');
  world.now = new Date('2026-07-01T14:00:00Z');
  await pass();
  assert.equal((await listBackups(world.database, [diskId])).length, 1);
  assert.deepEqual(await world.drift(), []);
});
