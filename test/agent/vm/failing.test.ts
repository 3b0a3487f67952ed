// What goes wrong around a VM, on real QEMU without waiting for a guest: starts that fail, starts that were interrupted,
// files that went missing, disks that are full. The data directory is deeper than a unix socket's path may be.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { StoragePools } from '../../../src/agent/disk/pools.ts';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { plainMachine } from '../../../src/agent/vm/driver.ts';
import { homeOf } from '../../../src/agent/vm/home.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import { prepareFiles, startQemu } from '../../../src/agent/vm/start.ts';
import {
  eraseVm,
  inGuest,
  microImages,
  noCds,
  qemuDriver,
  qemuPid,
  qemuPids,
  runVm,
  type Scratch,
  scratch,
  specOf,
  traces,
  until,
  untilLogin,
} from './support.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
const micro = async () => await (await microImages()).ensure('', { diskBytes: 0 }, () => {}, signal);
let ground: Scratch;
let directory: string;
let driver: QemuDriver;

before(async () => {
  ground = await scratch('failing');
  directory = join(ground.directory, 'deep'.repeat(20), 'a directory, with a comma');
  driver = await qemuDriver(directory);
});
after(async () => {
  for (const { instanceId } of await driver.observe()) await driver.erase(instanceId, 0);
  await driver.close();
  await ground.clean();
});

test('a QEMU that dies at its start is a failure with its last words, without paths of the host', async () => {
  const spec = specOf(1, '127.44.252.10', ground.publicKey, { vcpus: 300 });
  await assert.rejects(runVm(driver, spec), (error) => {
    assert.ok(error instanceof DriverFailure);
    assert.deepEqual([error.code, error.permanent], ['vm.start-failed', false]);
    assert.match(error.message, /^The VM could not be started: .*CPUs.*255/);
    assert.doesNotMatch(error.message, /\/\w+\//);
    return true;
  });
  assert.deepEqual(qemuPids(spec.instanceId), []);
  await eraseVm(driver, spec);
  assert.deepEqual(await traces(directory, spec.instanceId), []);
});

test('an image that is larger than the disk is refused for good', async () => {
  const images = { ensure: async () => ({ ...(await micro()), virtualSizeBytes: 5 * 1024 ** 3 }), ensureIso: noCds };
  const small = await qemuDriver(directory, { images });
  const spec = specOf(2, '127.44.252.11', ground.publicKey);
  await assert.rejects(runVm(small, spec), { code: 'image.too-large', permanent: true });
  assert.deepEqual(await small.observe(), [], 'not even a directory is there');
  await small.close();
});

test('a directory that a crash left half made is seen, can be built on, and can be erased', async () => {
  const spec = specOf(3, '127.44.252.12', ground.publicKey);
  const home = join(directory, 'vm', spec.instanceId);
  await mkdir(join(home, 'seed.iso.files', 'user-data'), { recursive: true });
  const place = join(directory, 'disk', 'disk-3');
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'disk-1.qcow2'), 'half');
  await writeFile(join(home, 'vm.json'), '{"baseFor');
  const state = { bootNumber: 1, power: 'dead', reason: 'its start was interrupted' };
  const interrupted = { instanceId: spec.instanceId, ...state };
  assert.deepEqual(await driver.observe(), [interrupted]);
  assert.deepEqual(await driver.strays(new Set()), [`directory ${home}`, `disk ${place}`]);
  assert.deepEqual(await driver.strays(new Set([spec.instanceId, 'disk-3'])), []);
  await runVm(driver, spec);
  assert.equal((await driver.inspect(spec.instanceId))?.power, 'running');
  await eraseVm(driver, spec);
  await mkdir(join(home, 'run'), { recursive: true });
  await eraseVm(driver, spec);
  assert.deepEqual(await traces(directory, spec.instanceId), []);
});

test('a QEMU whose agent died before letting its guest run is no running VM, and the next start replaces it', async () => {
  const spec = specOf(4, '127.44.252.13', ground.publicKey);
  const home = homeOf(join(directory, 'vm'), spec.instanceId);
  const parts = { pools: new StoragePools(directory), images: await microImages(), askSecrets: async () => null };
  const { discs } = await prepareFiles(home, spec, plainMachine, { ...parts, progress() {}, signal });
  const { instanceId, vcpus, memoryMib } = spec;
  const machine = {
    acceleration: 'tcg',
    hardwareProfile: 'virtio2013',
    keymap: null,
    cdromPath: null,
    mayReboot: true,
    tap: null,
    restrictNetwork: true,
  } as const;
  const files = { seedPath: home.seed, discs, spares: [] };
  const { process: early } = await startQemu(home, { instanceId, vcpus, memoryMib, ...machine, ...files }, null);
  await until('it to be there', async () => (await driver.inspect(instanceId))?.reason === 'its start was interrupted');
  await runVm(driver, spec);
  assert.notEqual(qemuPid(instanceId), early.pid);
  assert.equal((await driver.inspect(instanceId))?.power, 'running');
  assert.deepEqual([...(await driver.basesInUse())], [(await micro()).path]);
});

test('a VM whose files are gone is still found, shown, and can be erased', async () => {
  const spec = specOf(4, '127.44.252.13', ground.publicKey);
  await driver.close();
  driver = await qemuDriver(directory);
  await rm(join(directory, 'vm', spec.instanceId), { recursive: true });
  const found = { instanceId: spec.instanceId, power: 'running', reason: 'its files are gone' };
  const all = await driver.observe();
  assert.equal(all.length, 1);
  assert.partialDeepStrictEqual(all[0], found);
  assert.match((await driver.strays(new Set())).join(), new RegExp(`process \\d+ runs VM ${spec.instanceId}`));
  await eraseVm(driver, spec, 60_000);
  assert.deepEqual(await traces(directory, spec.instanceId), []);
});

test('a disk whose image has gone takes the same image again and no other', async () => {
  const spec = specOf(7, '127.44.252.16', ground.publicKey);
  await runVm(driver, spec);
  process.kill(qemuPid(spec.instanceId), 'SIGKILL');
  await until('it to be dead', async () => (await driver.inspect(spec.instanceId))?.power === 'dead');
  await rm(join(directory, 'disk', 'disk-7', 'base-1'));
  const other = await qemuDriver(directory, {
    images: { ensure: async () => ({ ...(await micro()), sha256: 'other' }), ensureIso: noCds },
  });
  await assert.rejects(runVm(other, spec), { code: 'image.changed', permanent: true });
  await other.close();
  await runVm(driver, spec);
  assert.equal((await driver.inspect(spec.instanceId))?.power, 'running');
  await eraseVm(driver, spec);
});

test('a start that is called off leaves no QEMU behind', async () => {
  const spec = specOf(5, '127.44.252.14', ground.publicKey);
  const calledOff = new AbortController();
  const progress = ({ kind }: { kind: string }) => {
    if (kind === 'vm.start') calledOff.abort();
  };
  await assert.rejects(driver.run(spec, progress, calledOff.signal), { name: 'AbortError' });
  assert.deepEqual(qemuPids(spec.instanceId), []);
  await eraseVm(driver, spec);
});

test('a VM on a full disk stands still, says so, and goes on by itself when there is space', async () => {
  const mount = join(ground.directory, 'small');
  await mkdir(mount);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'berth-test', mount]);
  const filler = join(mount, 'filler');
  const tight = await qemuDriver(mount, { limits: { resumeEveryMs: 300 } });
  const spec = specOf(6, '127.44.252.15', ground.publicKey);
  try {
    await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1M']).catch(() => {});
    await assert.rejects(runVm(tight, spec), { code: 'host.disk-full', permanent: false });
    await run('truncate', ['-s', '200M', filler]);
    await runVm(tight, spec);
    await untilLogin(ground.keyPath, spec.address);
    const written = inGuest(
      ground.keyPath,
      spec.address,
      'dd if=/dev/zero bs=1M count=96 | tr "\\0" x > /root/x && sync && wc -c < /root/x',
    );
    const reason = "paused: the host's disk is full";
    await until('it to stand still', async () => (await tight.inspect(spec.instanceId))?.reason === reason, 50_000);
    await rm(filler);
    assert.equal(await written, String(96 * 1024 * 1024));
    const found = await tight.inspect(spec.instanceId);
    assert.partialDeepStrictEqual(found, { instanceId: spec.instanceId, power: 'running', address: spec.address });
  } finally {
    await eraseVm(tight, spec);
    await tight.close();
    await run('umount', [mount]);
  }
});
