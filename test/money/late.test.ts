// What a request saw of a VM may be over by the time that it holds the VM: somebody else was quicker, or its host is about to do
// what another request has ordered. On a real database, with a host that says something only when the test lets it.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { type AtVm, type Caller, reachVm } from '../../src/app/access.ts';
import type { Principal } from '../../src/app/authenticate.ts';
import { createBackup, deleteBackups, listBackups, restoreBackup } from '../../src/app/backup.ts';
import { addBackupSchedule } from '../../src/app/backup-schedule.ts';
import { changeVm, type VmChange } from '../../src/app/vm-change.ts';
import { deleteVm, purgeExpired, purgeVm } from '../../src/app/vm-delete.ts';
import { repriceVms } from '../../src/app/vm-price.ts';
import { inTransaction } from '../../src/store/database.ts';
import { bumpRevisions } from '../../src/store/host.ts';
import { writeStatuses } from '../../src/store/instance.ts';
import { until } from '../support/berth.ts';
import { dayMs, MoneyWorld } from './world.ts';

let world: MoneyWorld;
let owner: Principal;
let caller: Caller;

before(async () => {
  world = await MoneyWorld.start();
  owner = await world.account(10n ** 12n);
  const grants = [{ level: 'account_admin' as const, accountId: owner.accountId }];
  caller = { actor: 'user:test', grants, user: null, apiKeyId: null };
});
after(() => world?.end());
afterEach(async () => assert.deepEqual(await world.drift(), []));

/** A VM that runs, as a request reaches it. */
async function running(): Promise<AtVm> {
  const [deployed] = await world.deploy(owner);
  await world.report();
  const { number } = await world.database
    .selectFrom('instance')
    .where('id', '=', deployed?.id ?? '')
    .select('number')
    .executeTakeFirstOrThrow();
  return reachVm(world.context, caller, { vm: String(number) }, 'vm_admin');
}

const change = (at: AtVm, what: VmChange) => changeVm(world.context, caller, at, what, {});

/** Does what waits for the host, which tells meanwhile what it does. */
async function whileReporting<Result>(work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  while (!isDone) {
    await world.report();
    await sleep(20);
  }
  return done;
}

const stateOf = ({ vm: { id } }: AtVm) =>
  world.database
    .selectFrom('instance')
    .leftJoin('assignment', 'assignment.instance_id', 'instance.id')
    .where('instance.id', '=', id)
    .select(['status', 'desired', 'assignment.vcpus'])
    .executeTakeFirstOrThrow();

test('a VM that was purged in between is not deleted so that it could be brought back', async () => {
  const at = await running();
  await purgeVm(world.context, at);
  await assert.rejects(deleteVm(world.context, at), { code: 'not_found' });
  await assert.rejects(change(at, { name: 'other' }), { code: 'not_found' });
  assert.deepEqual(await stateOf(at), { status: 'deleting', desired: 'absent', vcpus: 1 });
  await world.report();
});

test('a VM that has failed in between is gone for good, as it holds nothing', async () => {
  const [deployed] = await world.deploy(owner);
  const { number } = await world.database
    .selectFrom('instance')
    .where('id', '=', deployed?.id ?? '')
    .select('number')
    .executeTakeFirstOrThrow();
  const at = await reachVm(world.context, caller, { vm: String(number) }, 'vm_admin');
  world.runs.set(at.vm.id, null);
  await world.report();
  assert.equal((await stateOf(at)).status, 'failed');
  await deleteVm(world.context, at);
  assert.deepEqual(await stateOf(at), { status: 'deleting', desired: 'absent', vcpus: 1 });
  await world.report();
});

test('a VM that is brought back while the purge comes to it stays', async () => {
  const at = await running();
  await whileReporting(deleteVm(world.context, at));
  world.now = new Date(world.now.getTime() + 22 * dayMs);
  await world.report();
  let purging: Promise<void> | undefined;
  await inTransaction(world.database, async (tx) => {
    await bumpRevisions(tx, [world.hostId]);
    purging = purgeExpired(world.replicas[1] ?? world.context);
    await until('the purge waits for the host', async () => {
      const { rows } = await sql`select from pg_locks where not granted`.execute(world.database);
      return rows.length > 0;
    });
    // As a request does that brings it back.
    await writeStatuses(tx, [{ id: at.vm.id, status: 'stopped', reason: null }], world.now);
    await repriceVms(world.context, tx, [at.vm.id], 'user:test');
  });
  await purging;
  assert.equal((await stateOf(at)).status, 'stopped');
  await whileReporting(change(at, { powerOn: true }));
});

test('what is switched on and has not come up yet is no longer off for anybody', async () => {
  const at = await running();
  await whileReporting(change(at, { vcpus: 4, powerOn: false, autoreboot: false }));
  assert.deepEqual(await stateOf(at), { status: 'stopped', desired: 'off', vcpus: 4 });
  const start = change(at, { powerOn: true });
  await until('it is ordered to run', async () => (await stateOf(at)).desired === 'running');
  // Its host may be starting it with four by now, so four are held and paid for.
  await change(at, { vcpus: 1 });
  assert.equal((await stateOf(at)).vcpus, 4);
  const stop = change(at, { powerOn: false });
  await until('it is ordered to be off', async () => (await stateOf(at)).desired === 'off');
  await whileReporting(Promise.all([start, stop]));
  assert.deepEqual(await stateOf(at), { status: 'stopped', desired: 'off', vcpus: 1 });
});

test('nothing is restored from a backup that was deleted in between, and nothing deleted is scheduled to be backed up', async () => {
  const at = await running();
  const { id: instanceId } = at.vm;
  await whileReporting(change(at, { powerOn: false, autoreboot: false }));
  const { id: diskId } = await world.database
    .selectFrom('disk')
    .where('instance_id', '=', instanceId)
    .select('id')
    .executeTakeFirstOrThrow();
  const subject = { instanceId, diskId };
  await createBackup(world.context, subject, { actor: 'test', scheduleId: null });
  await world.report();
  const [backup] = await listBackups(world.context, [diskId]);
  assert.equal(backup?.state, 'ready');
  await deleteBackups(world.context, instanceId, [backup?.id ?? ''], 'test');
  if (backup) {
    await assert.rejects(restoreBackup(world.context, subject, backup, 'test'), { code: 'not_found' });
    await world.report();
    await assert.rejects(restoreBackup(world.context, subject, backup, 'test'), { code: 'not_found' });
  }
  await whileReporting(deleteVm(world.context, at));
  const schedule = { startAt: '00:00', intervalSeconds: 86_400, capacity: 1 };
  await assert.rejects(addBackupSchedule(world.context, instanceId, diskId, schedule), { code: 'wrong_state' });
});
