// Disks on real QEMU, as a guest sees them: several of them, added, grown, moved, imaged anew and erased; and what is left of
// each of these when the agent dies in the middle.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { makeDisk, placeOf, readDisk } from '../../../src/agent/disk/place.ts';
import type { DiskSpec, VmSpec } from '../../../src/agent/vm/driver.ts';
import { homeOf, readRecord, writeRecord } from '../../../src/agent/vm/home.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import {
  eraseVm,
  inGuest,
  microImages,
  qemuDriver,
  qemuPid,
  runVm,
  type Scratch,
  scratch,
  specOf,
  traces,
  until,
  untilLogin,
} from './support.ts';

const run = promisify(execFile);
const address = '127.64.10.10';
const otherAddress = '127.64.10.11';
const root: DiskSpec = { id: 'root-1', sizeMib: 1024, imaging: 1 };
const data: DiskSpec = { id: 'data-1', sizeMib: 64, imaging: 0 };
const fast: DiskSpec = { id: 'fast-1', sizeMib: 128, imaging: 0, pool: 'fast' };
const added: DiskSpec = { id: 'added-1', sizeMib: 96, imaging: 0 };

let ground: Scratch;
let driver: QemuDriver;
let spec: VmSpec;
let other: VmSpec;

const newDriver = () =>
  qemuDriver(ground.directory, { pools: [{ label: 'fast', directory: join(ground.directory, 'fast') }] });
const guest = (command: string) => inGuest(ground.keyPath, address, command);
/** The sizes of a guest's disks in MiB, without its seed. */
const sizesSeen = async () =>
  (await guest('for d in /sys/block/vd*; do [ "$(cat $d/serial)" = seed ] || echo "$(($(cat $d/size) / 2048))"; done'))
    .split('\n')
    .map(Number);
/** The name of the guest's device that is a disk. */
const device = (disk: DiskSpec) =>
  guest(
    `for d in /sys/block/vd*; do [ "$(cat $d/serial)" = ${disk.id.replaceAll('-', '')} ] && basename $d; done; true`,
  );

before(async () => {
  ground = await scratch('discs');
  driver = await newDriver();
  spec = specOf(1, address, ground.publicKey, { disks: [root, data, fast] });
  other = specOf(2, otherAddress, ground.publicKey, { disks: [{ id: 'root-2', sizeMib: 1024, imaging: 1 }] });
});
after(async () => {
  await driver?.close();
  await ground.clean();
});

test('a guest has its disks in their order, those beside the first one blank, each in its pool', async () => {
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.deepEqual(await sizesSeen(), [1024, 64, 128]);
  assert.equal(await device(root), 'vda');
  const [second, third] = [await device(data), await device(fast)];
  assert.equal(
    await guest(`cmp -n 1048576 /dev/${second} /dev/zero && cmp -n 1048576 /dev/${third} /dev/zero && echo blank`),
    'blank',
  );
  assert.deepEqual((await readdir(join(ground.directory, 'fast'))).toSorted(), ['fast-1', 'pool.json', 'spare']);
  await guest(`echo kept data | dd of=/dev/${second} conv=fsync 2>/dev/null`);
});

test('QEMU has the disks as descriptors, and nothing else of the host', async () => {
  const pid = qemuPid(spec.instanceId);
  const { uid } = await stat(`/proc/${pid}`);
  for (const disk of [root, data, fast]) {
    const directory = join(ground.directory, disk.pool === 'fast' ? 'fast' : 'disk', disk.id);
    assert.notEqual((await stat(directory)).uid, uid);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
  }
});

test('a disk that grows while the guest runs is seen at once, and so is one that is added', async () => {
  const pid = qemuPid(spec.instanceId);
  spec = { ...spec, disks: [root, { ...data, sizeMib: 80 }, fast, added] };
  await runVm(driver, spec);
  await until('the guest to see them', async () => (await sizesSeen()).join() === '1024,80,128,96', 60_000);
  assert.equal(qemuPid(spec.instanceId), pid, 'it runs on');
  await guest(`echo hot > /tmp/hot && dd if=/tmp/hot of=/dev/${await device(added)} conv=fsync 2>/dev/null`);
  await runVm(driver, spec);
  assert.deepEqual(await sizesSeen(), [1024, 80, 128, 96], 'a second time changes nothing');
});

test('how often a disk is read and written in a second can be bounded while the guest runs', async () => {
  const node = await device(data);
  const seconds = async () => {
    const begin = performance.now();
    await guest(
      `for i in $(seq 40); do dd if=/dev/${node} of=/dev/null bs=4096 count=1 skip=$i iflag=direct 2>/dev/null; done`,
    );
    return (performance.now() - begin) / 1000;
  };
  await runVm(driver, {
    ...spec,
    disks: spec.disks.map((disk) => (disk.id === data.id ? { ...disk, iopsLimit: 5 } : disk)),
  });
  const leastSeconds = 6;
  const bound = await seconds();
  assert.ok(bound > leastSeconds, `40 reads at 5 a second took ${bound} s`);
  await runVm(driver, spec);
  // With the bound it would take longer every time; what else the machine does passes.
  await until('it is fast again', async () => (await seconds()) < leastSeconds, 180_000);
});

test('a disk that an agent had begun to add when it was killed is added by the next one', async () => {
  const begun: DiskSpec = { id: 'begun-1', sizeMib: 70, imaging: 0 };
  await driver.close();
  // What was done when it died: the spare is the disk's file already, and QEMU has not been told.
  const spares = join(ground.directory, 'disk', 'spare');
  const [spare = ''] = (await readdir(spares)).filter((name) => name.startsWith(spec.instanceId));
  const place = placeOf(join(ground.directory, 'disk'), begun.id);
  const whole = placeOf(join(ground.directory, 'disk'), 'whole');
  const record = await makeDisk(whole, { sizeBytes: 70 * 1024 ** 2, imaging: 0, image: null });
  await writeFile(join(spares, spare), await readFile(join(whole.directory, record.file)), { flag: 'r+' });
  await rm(whole.directory, { recursive: true });
  await mkdir(place.directory);
  await rename(join(spares, spare), join(place.directory, record.file));
  await writeFile(join(place.directory, 'disk.json'), JSON.stringify(record));
  driver = await newDriver();
  spec = { ...spec, disks: [...spec.disks, begun] };
  await runVm(driver, spec);
  await until('the guest to see it', async () => (await sizesSeen()).at(-1) === 70, 60_000);
});

test('what was added is there after the next start, with its content, and so is what was written elsewhere', async () => {
  await guest('sync');
  await driver.halt(spec.instanceId);
  spec = { ...spec, bootNumber: 2 };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.deepEqual(await sizesSeen(), [1024, 80, 128, 96, 70]);
  assert.equal(await guest(`head -c 9 /dev/${await device(data)}`), 'kept data');
  assert.equal(await guest(`head -c 3 /dev/${await device(added)}`), 'hot');
});

test('a disk moves to another VM by two orders, without a byte of it being copied', async () => {
  const place = placeOf(join(ground.directory, 'disk'), data.id);
  const before = await readDisk(place);
  const { ino } = await stat(join(place.directory, before?.file ?? ''));
  await driver.halt(spec.instanceId);
  spec = { ...spec, bootNumber: 3, disks: [root, fast, added] };
  other = { ...other, disks: [...other.disks, { ...data, sizeMib: 80 }] };
  await Promise.all([runVm(driver, spec), runVm(driver, other)]);
  await untilLogin(ground.keyPath, otherAddress);
  assert.equal(await inGuest(ground.keyPath, otherAddress, 'head -c 9 /dev/vdb'), 'kept data');
  assert.equal((await stat(join(place.directory, before?.file ?? ''))).ino, ino);
  await driver.halt(other.instanceId);
});

test('a disk that another VM still has open is not given to a second one', async () => {
  await untilLogin(ground.keyPath, address);
  const thief = { ...other, disks: [...other.disks, added], bootNumber: 2 };
  await assert.rejects(runVm(driver, thief), { code: 'vm.start-failed', permanent: false });
  assert.equal(await guest(`head -c 3 /dev/${await device(added)}`), 'hot');
});

test('a greater number makes the first disk anew while the VM is off, and only that one', async () => {
  await guest('echo before > /root/mark; sync');
  await runVm(driver, { ...spec, disks: [{ ...root, imaging: 2 }, fast, added], image: { url: 'x', imaging: 2 } });
  assert.equal(await guest('cat /root/mark'), 'before', 'a guest that runs keeps its disk');
  await driver.halt(spec.instanceId);
  spec = {
    ...spec,
    disks: [{ ...root, imaging: 2 }, fast, { ...added, imaging: 2 }],
    image: { url: 'x', imaging: 2 },
    bootNumber: 4,
  };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('cat /root/mark 2>/dev/null || echo gone'), 'gone');
  assert.equal(await guest(`head -c 3 /dev/${await device(added)}`), 'hot');
  const files = await readdir(join(ground.directory, 'disk', root.id));
  assert.deepEqual(files.toSorted(), ['base-2', 'disk-2.qcow2', 'disk.json'], 'the old one is erased');
});

test('an imaging that was interrupted leaves the old disk or the new one, and is then done', async () => {
  await guest('echo second > /root/mark; sync');
  await driver.halt(spec.instanceId);
  const place = placeOf(join(ground.directory, 'disk'), root.id);
  const image = await (await microImages()).ensure('', { diskBytes: 0 }, () => {}, new AbortController().signal);
  // Killed before the record of the new one was written: its files are there, half or whole.
  await writeFile(join(place.directory, 'disk-3.qcow2.new'), 'half');
  await link(image.path, join(place.directory, 'base-3'));
  spec = { ...spec, bootNumber: 5 };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('cat /root/mark'), 'second', 'nobody ordered the new one yet');
  await driver.halt(spec.instanceId);
  // Killed right after it: the old one is still beside it.
  await makeDisk(place, { sizeBytes: 1024 ** 3, imaging: 3, image });
  await writeFile(join(place.directory, 'disk-2.qcow2'), 'old');
  spec = { ...spec, disks: [{ ...root, imaging: 3 }, fast], image: { url: 'x', imaging: 3 }, bootNumber: 6 };
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('cat /root/mark 2>/dev/null || echo gone'), 'gone');
  assert.deepEqual((await readdir(place.directory)).toSorted(), ['base-3', 'disk-3.qcow2', 'disk.json']);
});

test('a disk is erased by an order that names it, and not while a guest has it', async () => {
  const order = { ...spec, disks: [spec.disks[0] as DiskSpec], eraseDisks: [fast, added] };
  assert.deepEqual(await driver.settleDisks(order), [added.id], 'the other one is still in use');
  await driver.halt(spec.instanceId);
  assert.deepEqual(
    await driver.strays(new Set([spec.instanceId, other.instanceId, root.id, data.id, 'root-2', 'begun-1'])),
    [`disk ${join(ground.directory, 'fast', fast.id)}`],
  );
  assert.deepEqual(await driver.settleDisks(order), [fast.id, added.id]);
  assert.deepEqual(await driver.settleDisks(order), [fast.id, added.id], 'done on nothing is done');
  assert.deepEqual(await readdir(join(ground.directory, 'fast')), ['pool.json', 'spare']);
  assert.notEqual(
    await readDisk(placeOf(join(ground.directory, 'disk'), 'begun-1')),
    null,
    'what no order names stays',
  );
});

test('a pool that is not there keeps its VMs from starting, and makes no blank disk in its stead', async () => {
  const pool = join(ground.directory, 'fast');
  spec = { ...spec, disks: [spec.disks[0] as DiskSpec, fast], bootNumber: 7 };
  await driver.close();
  await run('mv', [pool, `${pool}.away`]);
  await mkdir(pool);
  driver = await newDriver();
  await assert.rejects(runVm(driver, spec), { code: 'host.storage-pool', permanent: false });
  assert.deepEqual(await readdir(pool), []);
  await rm(pool, { recursive: true });
  await run('mv', [`${pool}.away`, pool]);
  await runVm(driver, spec);
  assert.equal((await driver.inspect(spec.instanceId))?.power, 'running');
});

test('a VM whose disk an older agent had made keeps it', async () => {
  await driver.halt(other.instanceId);
  const home = homeOf(join(ground.directory, 'vm'), other.instanceId);
  const place = placeOf(join(ground.directory, 'disk'), 'root-2');
  const record = await readDisk(place);
  const now = await readRecord(home);
  assert.ok(record?.base && now);
  // As they laid it out: the disk and its base in the VM's own directory, and what they are in its record.
  await rename(join(place.directory, record.file), home.disk);
  await rename(join(place.directory, record.base.name), home.base);
  await rm(place.directory, { recursive: true });
  const { path: basePath, format: baseFormat, sha256: baseSha256 } = record.base;
  await writeRecord(home, { ...now, basePath, baseFormat, baseSha256 });
  const { ino } = await stat(home.disk);
  assert.ok((await driver.basesInUse()).has(basePath), 'its base is not evicted meanwhile');

  await driver.settleDisks(other);
  assert.equal((await stat(join(place.directory, 'disk.qcow2'))).ino, ino);
  assert.equal(await stat(home.disk).catch(() => null), null);
  other = { ...other, bootNumber: 3, disks: [{ id: 'root-2', sizeMib: 1024, imaging: 1 }] };
  await runVm(driver, other);
  await untilLogin(ground.keyPath, otherAddress);
});

test('a VM without a disk or a CD has nothing to start from', async () => {
  const bare = specOf(3, '127.64.10.12', ground.publicKey, { disks: [] });
  await assert.rejects(runVm(driver, bare), { code: 'vm.nothing-to-start', permanent: false });
});

test('an erased VM leaves nothing, not even spares', async () => {
  await eraseVm(driver, { ...other, disks: [...other.disks, data, { ...data, id: 'begun-1' }] });
  await eraseVm(driver, { ...spec, disks: [root, fast] });
  assert.deepEqual(await traces(ground.directory, spec.instanceId), []);
  assert.deepEqual(await readdir(join(ground.directory, 'fast', 'spare')), []);
});
