// The backups of the disks of this host's VMs: what an order wants is begun and goes on beside everything else; what has become of
// it is read from the files, so any agent can go on where another was killed.

import { chown, mkdir, stat } from 'node:fs/promises';
import type { Clock } from '../../model/world.ts';
import { backupPath, eraseBackup, listBackups, markBackup } from '../disk/backup.ts';
import { makeBlank, overlaySizeBytes } from '../disk/overlay.ts';
import { type DiskPlace, imagingOf, pathIn, readDisk } from '../disk/place.ts';
import type { StoragePools } from '../disk/pools.ts';
import { DriverFailure } from '../driver.ts';
import { runBackupJob } from './backup-job.ts';
import { serveTarget } from './backup-target.ts';
import { poolOf } from './disc-files.ts';
import { type DiscFiles, discNode } from './discs.ts';
import type { BackupNews, DiskSpec, VmSpec } from './driver.ts';
import { exists, type VmHome } from './home.ts';
import { withIdleQemu } from './idle-qemu.ts';
import type { VmLogger } from './logger.ts';
import type { Command } from './qmp.ts';

/** What copying may take of the disk, so that the guest keeps most of it. */
const bytesPerSecondDefault = 32 * 1024 * 1024;
/** One that fails so often, each time begun anew, is given up. */
const attemptsMax = 3;

/** What backing a VM's disks up takes. */
export interface BackupGround {
  home: VmHome;
  user: { uid: number; gid: number } | null;
  /** The monitor of its QEMU; null while it is off. */
  command: Command | null;
}

/** A job under way. */
interface Job {
  /** Who has the disk now, and is told of the end; disks move while they are copied. */
  instanceId: string;
  diskId: string;
  stop: AbortController;
  done: Promise<void>;
}

/** Makes, erases and lists backups. */
export class VmBackups {
  readonly #pools: StoragePools;
  readonly #clock: Clock;
  readonly #logger: VmLogger;
  readonly #changed: (instanceId: string) => void;
  readonly #jobs = new Map<string, Job>();
  /** How often each was tried in vain, and why; only in memory: an agent that starts anew tries anew. */
  readonly #failures = new Map<string, { attempts: number; reason: string }>();
  readonly #bytesPerSecond: number;

  constructor(
    parts: { pools: StoragePools; clock: Clock; logger: VmLogger; bytesPerSecond?: number },
    changed: (instanceId: string) => void,
  ) {
    this.#pools = parts.pools;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#bytesPerSecond = parts.bytesPerSecond ?? bytesPerSecondDefault;
    this.#changed = changed;
  }

  /** Begins what an order wants and erases what it wants gone. @returns what has become of all that it names */
  async settle({ instanceId, disks }: VmSpec, ground: BackupGround): Promise<BackupNews> {
    const news: BackupNews = { ready: [], failed: [], erased: [] };
    for (const disk of disks) {
      const { backups = [], eraseBackups = [] } = disk;
      if (backups.length + eraseBackups.length === 0) continue;
      const place = await this.#pools.placeOf(poolOf(disk), disk.id);
      const isReplaced = await isMadeAnew(disk, place);
      for (const id of eraseBackups) {
        // Of what the disk is yet to be restored from nothing else is left; it goes once that is done.
        if (isReplaced && id === disk.restoreFrom) continue;
        await this.#stop(id);
        await eraseBackup(place, id);
        news.erased.push(id);
      }
      const present = await listBackups(place);
      for (const id of backups) {
        const failure = this.#failures.get(id);
        const job = this.#jobs.get(id);
        if (job) job.instanceId = instanceId;
        if (present.has(id)) news.ready.push(id);
        else if (failure && failure.attempts >= attemptsMax) news.failed.push({ id, reason: failure.reason });
        else if (!job) this.#begin(instanceId, disk, id, place, ground);
      }
    }
    return news;
  }

  /**
   * Makes way for a VM's start: what is being copied of it is called off, and begun anew once it runs. Of a disk whose content
   * is about to be made anew everything is copied first that was to be.
   * @param signal ends the wait for that; the copying goes on
   * @throws DriverFailure when that fails; the signal's reason
   */
  async beforeStart(spec: VmSpec, ground: BackupGround, signal: AbortSignal): Promise<void> {
    for (const disk of spec.disks) {
      const place = await this.#pools.placeOf(poolOf(disk), disk.id);
      const first = (await isMadeAnew(disk, place)) ? (disk.backups ?? []) : [];
      for (const id of first) await this.#ensure(spec.instanceId, disk, id, place, ground, signal);
      await this.callOff(disk.id);
    }
  }

  /** Calls off what is being copied of a disk. */
  async callOff(diskId: string): Promise<void> {
    await this.#stopWhere((job) => job.diskId === diskId);
  }

  /** Calls off what is being copied of a VM's disks. */
  async callOffAll(instanceId: string): Promise<void> {
    await this.#stopWhere((job) => job.instanceId === instanceId);
  }

  async #ensure(
    instanceId: string,
    disk: DiskSpec,
    backupId: string,
    place: DiskPlace,
    ground: BackupGround,
    signal: AbortSignal,
  ): Promise<void> {
    if ((await listBackups(place)).has(backupId)) return;
    if (!this.#jobs.has(backupId)) this.#begin(instanceId, disk, backupId, place, ground);
    await Promise.race([this.#jobs.get(backupId)?.done, aborted(signal)]);
    signal.throwIfAborted();
    if ((await listBackups(place)).has(backupId)) return;
    const reason = this.#failures.get(backupId)?.reason ?? 'The backup was called off.';
    throw new DriverFailure('vm.backup', reason, false);
  }

  /** Calls everything off. */
  async close(): Promise<void> {
    await this.#stopWhere(() => true);
  }

  async #stopWhere(isMeant: (job: Job) => boolean): Promise<void> {
    const meant = [...this.#jobs].filter(([, job]) => isMeant(job));
    await Promise.all(meant.map(([id]) => this.#stop(id)));
  }

  async #stop(backupId: string): Promise<void> {
    const job = this.#jobs.get(backupId);
    job?.stop.abort();
    await job?.done;
  }

  #begin(instanceId: string, disk: DiskSpec, backupId: string, place: DiskPlace, ground: BackupGround): void {
    const stop = new AbortController();
    const done = this.#make(disk, backupId, place, ground, stop.signal)
      .then(() => void this.#failures.delete(backupId))
      .catch(async (error: Error) => {
        await eraseBackup(place, backupId);
        if (stop.signal.aborted) return;
        const attempts = (this.#failures.get(backupId)?.attempts ?? 0) + 1;
        this.#failures.set(backupId, { attempts, reason: `The backup could not be made: ${error.message}.` });
        this.#logger.warn({ instanceId, backupId, attempts, err: error }, 'A backup could not be made');
      })
      .finally(() => {
        const owner = this.#jobs.get(backupId)?.instanceId ?? instanceId;
        this.#jobs.delete(backupId);
        this.#changed(owner);
      });
    this.#jobs.set(backupId, { instanceId, diskId: disk.id, stop, done });
  }

  async #make(
    disk: DiskSpec,
    backupId: string,
    place: DiskPlace,
    { home, user, command }: BackupGround,
    signal: AbortSignal,
  ): Promise<void> {
    const record = await readDisk(place);
    if (record === null) throw new Error('there is nothing on the disc yet');
    const path = pathIn(place, record.file);
    const target = backupPath(place, backupId);
    await makeBlank(target, await overlaySizeBytes(path));
    if (!(await exists(home.run))) {
      await mkdir(home.run, { recursive: true, mode: 0o700 });
      if (user !== null) await chown(home.run, user.uid, user.gid);
    }
    const socket = `backup-${backupId.slice(0, 8)}.sock`;
    const served = await serveTarget(target, home.run, socket, user);
    try {
      const copying = {
        backupId,
        socket,
        bytesPerSecond: this.#bytesPerSecond,
        writtenBytes: () => takenBytes(target),
      };
      const copy = (run: Command, node: string) => runBackupJob(run, { ...copying, node }, signal);
      const files: DiscFiles = {
        ...{ id: disk.id, path },
        base: record.base && { path: pathIn(place, record.base.name), format: record.base.format },
      };
      const idle = { runDirectory: home.run, user, timeoutMs: 10_000 };
      if (command) await copy(command, discNode(disk.id));
      else await withIdleQemu(files, idle, copy);
      await served.finish();
    } catch (error) {
      await served.abort();
      throw error;
    }
    await markBackup(place, backupId, { madeAt: this.#clock.now(), imaging: imagingOf(record) });
  }
}

/** Whether the next start makes a disk's content anew. */
async function isMadeAnew({ imaging = 0 }: DiskSpec, place: DiskPlace): Promise<boolean> {
  return imaging > ((await readDisk(place))?.imaging ?? Number.POSITIVE_INFINITY);
}

/** Resolves when a signal aborts. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** How much of its file system a file takes; Linux counts it in 512 bytes. */
const takenBytes = async (path: string) => (await stat(path)).blocks * 512;
