// Copying disks of VMs that are off, on a real QEMU without a guest: whom it waits for, who ends it, and what it leaves.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { listBackups } from '../../../src/agent/disk/backup.ts';
import { makeBlank, mibToBytes } from '../../../src/agent/disk/overlay.ts';
import { type DiskPlace, makeDisk, pathIn } from '../../../src/agent/disk/place.ts';
import { StoragePools } from '../../../src/agent/disk/pools.ts';
import { runBackupJob } from '../../../src/agent/vm/backup-job.ts';
import { serveTarget } from '../../../src/agent/vm/backup-target.ts';
import { VmBackups } from '../../../src/agent/vm/backups.ts';
import { prepareDiscs } from '../../../src/agent/vm/disc-files.ts';
import type { DiskSpec, VmSpec } from '../../../src/agent/vm/driver.ts';
import { homeOf } from '../../../src/agent/vm/home.ts';
import { withIdleQemu } from '../../../src/agent/vm/idle-qemu.ts';
import type { ImageSource } from '../../../src/agent/vm/image-source.ts';
import type { Command } from '../../../src/agent/vm/qmp.ts';
import { noCds, qemuDriver, specOf, until } from './support.ts';

const run = promisify(execFile);
const logger = { info() {}, warn() {}, error() {} };
const sizeMib = 64;
const backupId = '00000001-0000-4000-8000-000000000000';
const never = new AbortController().signal;
/** Nothing is imaged here. */
const images: ImageSource = { ensure: () => Promise.reject(new Error('no image')), ensureIso: noCds };

let directory: string;
let pools: StoragePools;
let disks = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-copying-'));
  pools = new StoragePools(directory);
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A disk of its own for one test, full of one byte. */
async function fullDisk(): Promise<{ id: string; place: DiskPlace }> {
  disks += 1;
  const id = `disk-${disks}`;
  const place = await pools.placeOf('default', id);
  const { file } = await makeDisk(place, { sizeBytes: mibToBytes(sizeMib), imaging: 0, image: null });
  await run('qemu-io', ['-c', `write -P 7 0 ${sizeMib}M`, pathIn(place, file)]);
  return { id, place };
}

/** Backups, as slow as can be unless said otherwise, and whom they told of an end. */
function backupsOf(bytesPerSecond = 1) {
  const told: string[] = [];
  const backups = new VmBackups({ pools, logger, clock: { now: () => new Date() }, bytesPerSecond }, (id) => {
    told.push(id);
  });
  return { backups, told };
}

const vmWith = (number: number, disk: DiskSpec): VmSpec => specOf(number, '127.0.0.1', '', { disks: [disk] });
const groundOf = ({ instanceId }: VmSpec, at = directory) => {
  return { home: homeOf(join(at, 'vm'), instanceId), user: null, command: null };
};

/** Programs that have a file below a directory open, or work there. */
function programsIn(below: string): string[] {
  const links = (pid: string) => ['cwd', ...readdirSync(`/proc/${pid}/fd`).map((name) => `fd/${name}`)];
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return links(pid).some((name) => readlinkSync(`/proc/${pid}/${name}`).startsWith(`${below}/`));
    } catch {
      return false; // it has ended
    }
  });
}

const untilCopying = (place: DiskPlace) =>
  until('it is copied', async () => {
    const names = await readdir(place.directory);
    return names.includes(`backup-${backupId}.qcow2`) && programsIn(directory).length > 1;
  });

/** Nothing is copied any more, and nothing is left of it. */
async function assertCalledOff(place: DiskPlace): Promise<void> {
  const names = await readdir(place.directory).catch(() => []);
  assert.deepEqual(
    names.filter((name) => name.startsWith('backup-')),
    [],
  );
  assert.deepEqual(programsIn(directory), []);
}

test('a backup that its disk is yet to be restored from is erased after that and not before', async () => {
  const { id, place } = await fullDisk();
  const { backups } = backupsOf(1024 ** 3);
  const wanted = vmWith(1, { id, sizeMib, imaging: 0, backups: [backupId] });
  await backups.settle(wanted, groundOf(wanted));
  await until('the backup', async () => (await listBackups(place)).has(backupId));
  await run('qemu-io', ['-c', `write -P 8 0 ${sizeMib}M`, pathIn(place, 'disk-0.qcow2')]);

  const order = vmWith(1, { id, sizeMib, imaging: 1, restoreFrom: backupId, eraseBackups: [backupId] });
  assert.deepEqual((await backups.settle(order, groundOf(order))).erased, []);
  const making = { pools, images, progress() {}, signal: never };
  const [disc] = await prepareDiscs(order, making);
  await run('qemu-io', ['-r', '-c', `read -P 7 0 ${sizeMib}M`, disc?.path ?? '']).then(({ stdout }) =>
    assert.doesNotMatch(stdout, /verification failed/),
  );
  assert.deepEqual((await backups.settle(order, groundOf(order))).erased, [backupId]);
  assert.equal((await listBackups(place)).size, 0);
});

test('what an agent that was killed has left of a copy is no obstacle to the next one', async () => {
  const { id, place } = await fullDisk();
  const runDirectory = join(directory, 'run');
  await mkdir(runDirectory);
  const target = join(directory, 'target.qcow2');
  const copyOf = (node: string, bytesPerSecond: number) => {
    return { backupId, node, socket: 'target.sock', bytesPerSecond, writtenBytes: async () => 0 };
  };
  const disc = { id, path: pathIn(place, 'disk-0.qcow2'), base: null };
  const idle = { runDirectory, user: null, timeoutMs: 10_000 };
  await withIdleQemu(disc, idle, async (command, node) => {
    let isKilled = false;
    const ofKilled: Command = async (name, args) => {
      if (isKilled) throw new Error('the agent was killed');
      isKilled = name === 'blockdev-backup';
      return command(name, args);
    };
    for (const [by, speed] of [
      [ofKilled, 1],
      [command, 1024 ** 3],
    ] as const) {
      await makeBlank(target, mibToBytes(sizeMib));
      const served = await serveTarget(target, runDirectory, 'target.sock', null);
      // What serves it dies with the agent, too.
      const copied = runBackupJob(by, copyOf(node, speed), never)
        .then(() => served.finish())
        .finally(() => served.abort());
      if (speed === 1) await assert.rejects(copied, /was killed/);
      else await copied;
    }
  });
  const { stdout } = await run('qemu-img', ['compare', '-q', disc.path, target]);
  assert.equal(stdout, '');
});

test('who has the disk by then is told of the end', async () => {
  const { id, place } = await fullDisk();
  const { backups, told } = backupsOf(64 * 1024 ** 2);
  const [first, second] = [1, 2].map((number) => vmWith(number, { id, sizeMib, backups: [backupId] }));
  assert.ok(first && second);
  await backups.settle(first, groundOf(first));
  await untilCopying(place);
  await backups.settle(second, groundOf(second));
  await until('the end', () => told.length > 0);
  assert.deepEqual(told, [second.instanceId]);
});

test('a VM that starts ends all copying of its disks, also of what nobody wants any more', async () => {
  const { id, place } = await fullDisk();
  const { backups } = backupsOf();
  const wanted = vmWith(1, { id, sizeMib, backups: [backupId] });
  await backups.settle(wanted, groundOf(wanted));
  await untilCopying(place);
  const starting = vmWith(1, { id, sizeMib, eraseBackups: [backupId] });
  await backups.beforeStart(starting, groundOf(starting), never);
  await assertCalledOff(place);
});

test('who is called off waits no longer for what has to be copied first', async () => {
  const { id, place } = await fullDisk();
  const { backups } = backupsOf();
  const order = vmWith(1, { id, sizeMib, imaging: 1, restoreFrom: backupId, backups: [backupId] });
  const calledOff = new AbortController();
  const starting = backups.beforeStart(order, groundOf(order), calledOff.signal);
  await Promise.all([
    assert.rejects(starting, { name: 'AbortError' }),
    untilCopying(place).then(() => calledOff.abort()),
  ]);
  await backups.close();
  await assertCalledOff(place);
});

test('with a disk that is erased, or a VM, the copying ends', async () => {
  for (const what of ['disk', 'vm'] as const) {
    const { id, place } = await fullDisk();
    const driver = await qemuDriver(directory, { user: null, images });
    try {
      const wanted = vmWith(3, { id, sizeMib, backups: [backupId] });
      await mkdir(join(directory, 'vm', wanted.instanceId), { recursive: true });
      await driver.settleBackups(wanted);
      await untilCopying(place);
      if (what === 'vm') await driver.erase(wanted.instanceId, 0);
      else await driver.settleDisks({ ...wanted, disks: [], eraseDisks: wanted.disks });
      await assertCalledOff(place);
      if (what === 'vm') assert.ok(!(await readdir(join(directory, 'vm'))).includes(wanted.instanceId));
    } finally {
      await driver.close();
    }
  }
});
