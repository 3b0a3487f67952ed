// Backups of disks: asked for by their owners or by schedules, made by the disk's host. Each is a row that says what should
// be; the host is told of it with the VM's assignment and says in its reports what has become of it.

import { backupGib, backupLabel, backupsMax } from '../model/backup.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import type { InstanceStatus } from '../model/instance.ts';
import { parseReference } from '../model/reference.ts';
import { order } from '../store/assignment.ts';
import * as store from '../store/backup.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { type DiskState, listDisks } from '../store/disk.ts';
import { insertEvents } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import { findInstances, type InstanceHandle } from '../store/instance.ts';
import { takeDiskRoom } from '../store/storage-pool.ts';
import type { Context } from './context.ts';

export type { BackupRow } from '../store/backup.ts';

/** A disk that is backed up, and the VM that has it. */
export interface BackupSubject {
  instanceId: string;
  diskId: string;
}

/** Backups of these disks that are there or on their way, the oldest first. */
export async function listBackups(context: Context, diskIds: readonly string[]): Promise<store.BackupRow[]> {
  return (await store.listBackups(context.database, diskIds)).filter(isShown);
}

/** One that is being erased is gone for its owner. */
const isShown = ({ state }: store.BackupRow) => state !== 'erasing';

/**
 * One backup of a disk, by its number or its label.
 * @throws BerthError `not_found`
 */
export async function readBackup(context: Context, diskId: string, reference: string): Promise<store.BackupRow> {
  const by = parseReference(reference);
  const backups = await listBackups(context, [diskId]);
  const found = backups.find(({ number, label }) => (typeof by === 'bigint' ? number : label) === by);
  if (!found) throw new BerthError('not_found', `There is no backup ${shown(reference)}.`, reference);
  return found;
}

/**
 * Wants a backup of a disk as it is now.
 * @param by who asked; a schedule's backups make room for its next ones
 * @returns the backup, which its host is about to make
 * @throws BerthError `wrong_state` while another one is being made or where there are too many, `no_suitable_offer` where the
 *   host has no room
 */
export async function createBackup(
  context: Context,
  subject: BackupSubject,
  by: { actor: string; scheduleId: bigint | null },
): Promise<store.BackupRow> {
  const id = newUuid(context.entropy);
  const hostId = await changeBackups(context, subject.instanceId, async (tx, handle) => {
    await wantBackup(context, tx, handle, subject, { ...by, id });
  });
  context.wakeups.changed([hostId]);
  const backups = await store.listBackups(context.database, [subject.diskId]);
  const made = backups.find((backup) => backup.id === id);
  if (!made) throw new BerthError('not_found', 'The disc was erased while its backup was asked for.');
  return made;
}

/** Writes a backup that is wanted, in a transaction that holds the host's row and the instance's. */
export async function wantBackup(
  context: Context,
  tx: Tx,
  handle: InstanceHandle,
  { diskId }: BackupSubject,
  by: { id: string; actor: string; scheduleId: bigint | null },
): Promise<void> {
  requireHere(handle);
  const disk = await diskOf(tx, handle, diskId);
  const present = await store.listBackups(tx, [disk.id]);
  if (present.some(({ state }) => state === 'wanted')) {
    throw new BerthError('wrong_state', `A backup of disc ${shown(disk.label)} is being made; wait until it is there.`);
  }
  if (present.length >= backupsMax) {
    const message = `Disc ${shown(disk.label)} has ${present.length} backups; at most ${backupsMax} are kept. Delete some.`;
    throw new BerthError('wrong_state', message);
  }
  const now = context.clock.now();
  const labels = new Set(present.map(({ label }) => label));
  let serial = 0;
  while (labels.has(backupLabel(disk.label, now, serial))) serial += 1;
  const label = backupLabel(disk.label, now, serial);
  const diskGib = backupGib(disk.sizeMib);
  if (!(await takeDiskRoom(tx, handle.id, disk.poolId, diskGib))) {
    throw new BerthError('no_suitable_offer', `The host has no room for a backup of ${diskGib} GiB.`);
  }
  const { id, actor, scheduleId } = by;
  await store.insertBackup(tx, {
    ...{ id, diskId: disk.id, label, sizeMib: disk.sizeMib, scheduleId, diskGib },
    createdAt: now,
  });
  await tell(context, tx, handle, actor, 'disk.backup', `A backup of disc ${disk.label} was asked for: ${label}.`);
}

/**
 * Makes a disk's content that of a backup; what the disk has now is backed up first. The VM must be off.
 * @throws BerthError `wrong_state` while it is on or another backup is being made, `no_suitable_offer` where the host has no room
 */
export async function restoreBackup(
  context: Context,
  subject: BackupSubject,
  backup: store.BackupRow,
  actor: string,
): Promise<void> {
  const hostId = await changeBackups(context, subject.instanceId, async (tx, handle) => {
    requireHere(handle);
    const disk = await diskOf(tx, handle, subject.diskId);
    if (handle.status !== 'stopped') {
      throw new BerthError(
        'wrong_state',
        `The VM ${handle.name} must be off while a disc of it is restored; stop it first.`,
      );
    }
    // Its schedule may have let go of it since it was looked up.
    const state = (await store.listBackups(tx, [disk.id])).find(({ id }) => id === backup.id)?.state ?? 'erasing';
    if (state === 'erasing') throw new BerthError('not_found', `There is no backup ${shown(backup.label)} any more.`);
    if (state !== 'ready') {
      throw new BerthError('wrong_state', `The backup ${shown(backup.label)} is not finished yet.`);
    }
    if (disk.sizeMib < backup.sizeMib) {
      const message = `The backup ${shown(backup.label)} has ${backup.sizeMib} MiB and does not fit on the disc.`;
      throw new BerthError('invalid_value', message, 'size');
    }
    await wantBackup(context, tx, handle, subject, { id: newUuid(context.entropy), actor, scheduleId: null });
    await store.restoreDisk(tx, disk.id, backup.id);
    await tell(context, tx, handle, actor, 'disk.restore', `Disc ${disk.label} is restored from ${backup.label}.`);
  });
  context.wakeups.changed([hostId]);
}

/** Orders backups of a VM's disks away. Those that are gone already are left out. */
export async function deleteBackups(
  context: Context,
  instanceId: string,
  ids: readonly string[],
  actor: string,
): Promise<void> {
  const hostId = await changeBackups(context, instanceId, async (tx, handle) => {
    await store.writeBackups(tx, ids, 'erasing');
    await tell(context, tx, handle, actor, 'disk.backup-deleted', `${ids.length} backups are erased.`);
  });
  context.wakeups.changed([hostId]);
}

/** What a host says has become of backups. */
export interface BackupNews {
  ready: readonly string[];
  failed: readonly { id: string; reason: string }[];
  erased: readonly string[];
}

/** Takes what a host says of backups: what is ready counts, and what is not there any more gives its room back. */
export async function settleBackups(context: Context, hostId: string, told: readonly BackupNews[]): Promise<void> {
  const ready = new Set(told.flatMap((news) => news.ready));
  const reasons = new Map(told.flatMap((news) => news.failed.map(({ id, reason }) => [id, reason] as const)));
  const erased = new Set(told.flatMap((news) => news.erased));
  const ids = [...new Set([...ready, ...reasons.keys(), ...erased])];
  if (ids.length === 0) return;
  const isNews = ({ id, state }: store.ToldBackup) =>
    state === 'wanted' ? ready.has(id) || reasons.has(id) : state === 'erasing' && erased.has(id);
  if (!(await store.listToldBackups(context.database, hostId, ids)).some(isNews)) return;
  await inTransaction(context.database, async (tx) => {
    await bumpRevisions(tx, [hostId]);
    const news = (await store.listToldBackups(tx, hostId, ids)).filter(isNews);
    const made = news.filter(({ id, state }) => state === 'wanted' && ready.has(id));
    const gone = news.filter((backup) => !made.includes(backup));
    await store.writeBackups(
      tx,
      made.map(({ id }) => id),
      'ready',
    );
    for (const { instanceId, poolId, diskGib } of gone) await takeDiskRoom(tx, instanceId, poolId, -diskGib);
    await store.removeBackups(
      tx,
      gone.map(({ id }) => id),
    );
    const event = { hostId, actor: 'agent', createdAt: context.clock.now() };
    await insertEvents(tx, [
      ...made.map(({ instanceId, accountId, label }) => {
        return { ...event, instanceId, accountId, kind: 'disk.backed-up', message: `The backup ${label} is ready.` };
      }),
      ...gone.flatMap(({ id, state, instanceId, accountId, label }) => {
        const message = `The backup ${label} is not there: ${reasons.get(id)}`;
        return state === 'wanted' ? [{ ...event, instanceId, accountId, kind: 'disk.backup-failed', message }] : [];
      }),
    ]);
  });
}

/** Runs a change with the host's row and the instance's locked, and tells the host of its order anew. @returns the host */
export async function changeBackups(
  context: Context,
  instanceId: string,
  change: (tx: Tx, handle: InstanceHandle) => Promise<void>,
): Promise<string> {
  return inTransaction(context.database, async (tx) => {
    const [found] = await findInstances(tx, null, [instanceId], { lock: false });
    if (!found) throw gone(instanceId);
    const revisions = await bumpRevisions(tx, [found.hostId]);
    const [handle] = await findInstances(tx, null, [instanceId], { lock: true });
    if (!handle) throw gone(instanceId);
    await change(tx, handle);
    await order(tx, [{ instanceId, revision: revisions.get(handle.hostId) ?? 0n }]);
    return handle.hostId;
  });
}

/** A disk as it is now; it may have gone to another VM meanwhile. */
async function diskOf(tx: Tx, handle: InstanceHandle, diskId: string): Promise<DiskState> {
  const disk = (await listDisks(tx, [handle.id])).find(({ id }) => id === diskId);
  if (!disk) throw new BerthError('not_found', `The VM ${handle.name} has no such disc any more.`);
  return disk;
}

const gone = (id: string) => new BerthError('not_found', `There is no instance ${id} any more.`, id);

const withDisks: ReadonlySet<InstanceStatus> = new Set(['launching', 'active', 'stopped']);

/** @throws BerthError `wrong_state` where the VM is deleted, or has no disks any more */
export function requireHere({ name, status }: InstanceHandle): void {
  if (withDisks.has(status)) return;
  const why = status === 'soft-deleted' ? 'is deleted; restore it first' : 'is over';
  throw new BerthError('wrong_state', `The VM ${name} ${why}.`);
}

async function tell(
  { clock }: Context,
  tx: Tx,
  handle: InstanceHandle,
  actor: string,
  kind: string,
  message: string,
): Promise<void> {
  const { id: instanceId, accountId, hostId } = handle;
  await insertEvents(tx, [{ accountId, instanceId, hostId, kind, message, actor, createdAt: clock.now() }]);
}
