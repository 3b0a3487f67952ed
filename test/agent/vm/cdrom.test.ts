// A CD in a VM's drive on real QEMU: booted from beside a blank disk, changed with the next start, kept while its server is
// gone, and read by a guest that has a disk of its own.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { plainMachine, type VmSpec } from '../../../src/agent/vm/driver.ts';
import type { ImageSource } from '../../../src/agent/vm/image-source.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import { makeIso, serialOutput } from './cd.ts';
import {
  inGuest,
  microImages,
  qemuDriver,
  qemuPid,
  runVm,
  type Scratch,
  scratch,
  specOf,
  until,
  untilLogin,
} from './support.ts';

const blankAddress = '127.66.40.1';
const microAddress = '127.66.40.2';

let ground: Scratch;
let driver: QemuDriver;
/** What the image server has, and what was asked of it. */
const isos = new Map<string, string>();
const asked: string[] = [];

before(async () => {
  ground = await scratch('cdrom');
  for (const label of ['first-cd', 'second-cd'])
    isos.set(`http://cds.example/${label}.iso`, await makeIso(ground.directory, label, { bootable: true }));
  isos.set('http://cds.example/data', await makeIso(ground.directory, 'data-cd', { bootable: false }));
  const ensureIso: ImageSource['ensureIso'] = async (url) => {
    asked.push(url);
    const path = isos.get(url);
    if (path === undefined) throw new DriverFailure('image.http', 'The image server answered 404 Not Found.', true);
    return path;
  };
  driver = await qemuDriver(ground.directory, { images: { ...(await microImages()), ensureIso } });
});
after(async () => {
  await driver.close();
  await ground.clean();
});

const withCd = (cdromUrl: string | null) => ({ machine: { ...plainMachine, cdromUrl } });
const blank = (changes: Partial<VmSpec>): VmSpec =>
  specOf(1, blankAddress, ground.publicKey, { image: null, disks: [{ id: 'blank', sizeMib: 64 }], ...changes });
const saysOnSerial = (id: string, text: string) =>
  until(`"${text}" on the serial port`, async () => (await serialOutput(ground.directory, id)).includes(text), 60_000);
const cdFiles = async (id: string) =>
  (await readdir(join(ground.directory, 'vm', id))).filter((name) => name.endsWith('.iso') && name !== 'seed.iso');

test('a bootable CD is booted from though the disk is blank; another one counts from the next start on', async () => {
  const first = blank(withCd('http://cds.example/first-cd.iso'));
  await runVm(driver, first);
  await saysOnSerial(first.instanceId, 'first-cd');
  const pid = qemuPid(first.instanceId);
  const [before] = await cdFiles(first.instanceId);

  const changed = blank(withCd('http://cds.example/second-cd.iso'));
  await runVm(driver, changed);
  assert.equal(qemuPid(first.instanceId), pid, 'it was not restarted');
  await driver.act(first.instanceId, { kind: 'reset' });
  await until(
    'the first CD again, after a reset',
    async () => (await serialOutput(ground.directory, first.instanceId)).split('first-cd').length === 3,
    60_000,
  );
  assert.doesNotMatch(await serialOutput(ground.directory, first.instanceId), /second-cd/);

  await driver.halt(first.instanceId);
  await runVm(driver, { ...changed, bootNumber: 2 });
  await saysOnSerial(first.instanceId, 'second-cd');
  const files = await cdFiles(first.instanceId);
  assert.equal(files.length, 1);
  assert.notEqual(files[0], before, 'the first one is gone');
});

test('a VM starts again on its CD while the server of the CD is gone, and not on one that was never there', async () => {
  const spec = blank({ ...withCd('http://cds.example/second-cd.iso'), bootNumber: 3 });
  isos.clear();
  asked.length = 0;
  await driver.halt(spec.instanceId);
  await runVm(driver, spec);
  assert.deepEqual(asked, []);
  await driver.halt(spec.instanceId);
  await assert.rejects(runVm(driver, { ...spec, ...withCd('http://cds.example/gone.iso'), bootNumber: 4 }), {
    code: 'image.http',
    permanent: true,
  });
  await driver.erase(spec.instanceId, 0);
});

test('a VM with nothing to start from says so', async () => {
  await assert.rejects(runVm(driver, blank({ disks: [], ...withCd(null) })), { code: 'vm.nothing-to-start' });
});

test('a guest reads the CD in its drive, and starts from its disk where the CD is not bootable', async () => {
  isos.set('http://cds.example/data', join(ground.directory, 'data-cd.iso'));
  const spec = specOf(2, microAddress, ground.publicKey, withCd('http://cds.example/data'));
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, microAddress);
  // The drivers of what it did not start from come a moment after the login.
  const read = () => inGuest(ground.keyPath, microAddress, 'mkdir -p /cd; mount -o ro /dev/sr0 /cd && cat /cd/label');
  assert.equal(await until('the drive', read, 60_000), 'data-cd');
});
