// Backups on a real QEMU: of a disk that is being written to, of one whose VM is off, interrupted, erased, and restored.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import { eraseVm, inGuest, qemuDriver, runVm, type Scratch, scratch, specOf, until, untilLogin } from './support.ts';

const run = promisify(execFile);
const address = '127.65.0.2';
const diskId = '00000000-0000-4000-8000-00000000d15c';
const backupId = (digit: number) => `0000000${digit}-0000-4000-8000-000000000000`;

let ground: Scratch;
let driver: QemuDriver;
let spec: VmSpec;
/** The data disk as an order tells of it, with what is asked for of its backups. */
const withBackups = (more: Partial<VmSpec['disks'][number]>, changes: Partial<VmSpec> = {}): VmSpec => {
  const [first, second] = spec.disks;
  assert.ok(first && second);
  return { ...spec, ...changes, disks: [first, { ...second, ...more }] };
};
const guest = (command: string) => inGuest(ground.keyPath, address, command);
const place = () => join(ground.directory, 'disk', diskId);
const untilReady = (wanted: VmSpec, id: string) =>
  until(`backup ${id}`, async () => (await driver.settleBackups(wanted)).ready.includes(id), 120_000);

const sectorBytes = 512;
/** Where the guest counts, near both ends of the disk, and where it keeps a word. */
const [counterA, counterB, word] = [8, 500_000, 250_000];

const write = (sector: number) => `dd of=/dev/vdb bs=${sectorBytes} seek=${sector} conv=notrunc,fsync 2>/dev/null`;
const keep = (text: string) => guest(`printf ${text} | ${write(word)}`);
const kept = () => guest(`dd if=/dev/vdb bs=${sectorBytes} skip=${word} count=1 2>/dev/null | head -c 6 | tr -d '\\0'`);

/** Reads a backup, which has to be a whole qcow2 file that needs no other. @returns the texts at the given sectors */
async function readBackup(id: string, sectors: readonly number[]): Promise<string[]> {
  const file = join(place(), `backup-${id}.qcow2`);
  const { stdout } = await run('qemu-img', ['info', '--output=json', file]);
  const info = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(info['virtual-size'], 256 * 1024 ** 2);
  assert.equal(info['backing-filename'], undefined);
  await run('qemu-img', ['check', '-q', file]);
  const raw = join(ground.directory, 'check.raw');
  await run('qemu-img', ['convert', '-O', 'raw', file, raw]);
  const content = await open(raw, 'r');
  try {
    const texts: string[] = [];
    for (const sector of sectors) {
      const { buffer } = await content.read(Buffer.alloc(sectorBytes), 0, sectorBytes, sector * sectorBytes);
      texts.push(buffer.toString('latin1').replace(/\0.*$/s, ''));
    }
    return texts;
  } finally {
    await content.close();
  }
}

before(async () => {
  ground = await scratch('backup');
  driver = await qemuDriver(ground.directory);
  const disks = [
    { id: 'boot', sizeMib: 1024, imaging: 1 },
    { id: diskId, sizeMib: 256, imaging: 0 },
  ];
  spec = specOf(1, address, ground.publicKey, { disks });
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  await keep('first');
});
after(async () => {
  await driver?.close();
  await ground?.clean();
});

test('a disk that is written to is backed up as it was at one moment, and the guest runs on', async () => {
  const count = `i=$((i + 1)); printf %08d $i | ${write(counterA)}; printf %08d $i | ${write(counterB)}`;
  await guest(`(i=0; while true; do ${count}; done) >/dev/null 2>&1 </dev/null & sleep 1`);
  const wanted = withBackups({ backups: [backupId(1)] });
  assert.deepEqual(await driver.settleBackups(wanted), { ready: [], failed: [], erased: [] });
  await untilReady(wanted, backupId(1));
  const [a, b, text] = await readBackup(backupId(1), [counterA, counterB, word]);
  // Of one moment: the second place is at most one step behind the first, though the copying took hundreds of steps.
  assert.ok(Number(a) > 0 && [0, 1].includes(Number(a) - Number(b)), `${a} ${b}`);
  assert.equal(text, 'first');
  assert.deepEqual(await driver.strays(new Set([spec.instanceId, 'boot', diskId])), []);
});

test('what is asked for again is there already; what is to be erased is erased', async () => {
  assert.deepEqual((await driver.settleBackups(withBackups({ backups: [backupId(1)] }))).ready, [backupId(1)]);
  const order = withBackups({ backups: [backupId(2)] });
  await driver.settleBackups(order);
  const gone = await driver.settleBackups(withBackups({ eraseBackups: [backupId(2)] }));
  assert.deepEqual(gone.erased, [backupId(2)]);
  assert.deepEqual(
    (await readdir(place())).filter((name) => name.includes(backupId(2))),
    [],
  );
});

test('an agent that is gone in the middle leaves nothing that counts, and the next one makes it', async () => {
  const wanted = withBackups({ backups: [backupId(3)] });
  await driver.settleBackups(wanted);
  await driver.close();
  driver = await qemuDriver(ground.directory);
  assert.deepEqual((await driver.settleBackups(wanted)).ready, []);
  await untilReady(wanted, backupId(3));
  await driver.settleBackups(withBackups({ eraseBackups: [backupId(3)] }));
});

test('a disk whose VM is off is backed up, restored, and what it held before is a backup too', async () => {
  await keep('second');
  await driver.halt(spec.instanceId);
  const wanted = withBackups({ backups: [backupId(4)] });
  await driver.settleBackups(wanted);
  await untilReady(wanted, backupId(4));
  assert.deepEqual(await readBackup(backupId(4), [word]), ['second']);
  const restored = withBackups({ backups: [backupId(5)], restoreFrom: backupId(1), imaging: 1 }, { bootNumber: 2 });
  await runVm(driver, restored);
  await untilLogin(ground.keyPath, address);
  assert.equal(await kept(), 'first');
  assert.deepEqual((await driver.settleBackups(restored)).ready, [backupId(5)]);
  await driver.halt(spec.instanceId);
  await runVm(driver, withBackups({ restoreFrom: backupId(5), imaging: 2 }, { bootNumber: 3 }));
  await untilLogin(ground.keyPath, address);
  assert.equal(await kept(), 'second');
});

test('while a disk is copied orders are carried out: it grows, and another one is added', async () => {
  await guest('dd if=/dev/urandom of=/dev/vdb bs=1M seek=128 count=96 conv=notrunc,fsync 2>/dev/null');
  const wanted = withBackups({ backups: [backupId(6)], imaging: 2 }, { bootNumber: 3 });
  assert.deepEqual((await driver.settleBackups(wanted)).ready, []);
  await until('it is copied', async () => (await readdir(place())).includes(`backup-${backupId(6)}.qcow2`));
  const other = { id: 'other', sizeMib: 64, imaging: 0 };
  await runVm(driver, { ...wanted, disks: [...wanted.disks, other] });
  assert.deepEqual((await driver.settleBackups(wanted)).ready, [], 'that was while it was copied');
  const grown = withBackups({ backups: [backupId(6)], imaging: 2, sizeMib: 320 }, { bootNumber: 3 });
  spec = { ...grown, disks: [...grown.disks, other] };
  await runVm(driver, spec);
  assert.equal(await guest('cat /sys/block/vdb/size'), String(320 * 2048));
  await until('the other one', async () => (await guest('cat /sys/block/vd?/size')).includes(String(64 * 2048)));
  await untilReady(spec, backupId(6));
  const file = join(place(), `backup-${backupId(6)}.qcow2`);
  assert.match((await run('qemu-img', ['info', '--output=json', file])).stdout, /"virtual-size": 335544320,/);
});

test('a VM that is erased takes its backups along', async () => {
  await eraseVm(driver, spec);
  assert.deepEqual(
    await readdir(join(ground.directory, 'disk')).then((names) => names.filter((name) => name === diskId)),
    [],
  );
});
