// The rescue system on real QEMU, in place of a VM's own: with all its disks, with its logins, and for one start only.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { plainMachine, type VmSpec } from '../../../src/agent/vm/driver.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import { builtOnce } from '../../support/images.ts';
import { serialOutput } from './cd.ts';
import {
  bootTimeoutMs,
  inGuest,
  microImages,
  qemuDriver,
  runVm,
  type Scratch,
  scratch,
  specOf,
  until,
  untilLogin,
} from './support.ts';

const address = '127.66.44.1';

let ground: Scratch;
let driver: QemuDriver;
let spec: VmSpec;
const guest = (command: string) => inGuest(ground.keyPath, address, command);
const rescue = (permanent: boolean): Partial<VmSpec> => ({
  memoryMib: 512,
  machine: { ...plainMachine, appliance: { url: 'http://server.example/images/rescue.iso', permanent } },
});

before(async () => {
  ground = await scratch('rescue');
  const path = await builtOnce('rescue', 'iso', async (file, scratchDir) => {
    const { buildImage } = await import('../../../src/builder/image.ts');
    await buildImage('rescue', file, { scratchDir });
  });
  const secrets = { imaging: 1, rootPassword: 'swordfish', firstBootScript: null };
  driver = await qemuDriver(ground.directory, {
    images: { ...(await microImages()), ensureIso: async () => path },
    askSecrets: async () => secrets,
  });
  spec = specOf(1, address, ground.publicKey, {
    disks: [
      { id: 'root-disk', sizeMib: 1024 },
      { id: 'second-disk', sizeMib: 128 },
    ],
  });
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  await guest('echo precious >/root/precious; sync');
  await driver.halt(spec.instanceId);
});
after(async () => {
  await driver.close();
  await ground.clean();
});

/** The hash of root's password, in the system that runs or below a directory. */
const rootHash = (root = '') => guest(`sed -n 's/^root:\\([^:]*\\):.*/\\1/p' ${root}/etc/shadow`);

test('it runs from memory beside all disks, lets root in as they do, and changes nothing on them', async () => {
  await runVm(driver, { ...spec, ...rescue(false), bootNumber: 2 });
  await until(
    'the rescue system',
    async () => (await serialOutput(ground.directory, spec.instanceId)).includes('rescue: ready'),
    bootTimeoutMs,
  );
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('hostname'), 'rescue');
  assert.equal(await guest('awk \'$2 == "/" { print $1 }\' /proc/mounts'), 'rootfs');
  assert.equal(await guest('cat /sys/block/vda/size /sys/block/vdb/size'), `${1024 * 2048}\n${128 * 2048}`);
  assert.equal(await guest('grep -c ^/dev/vd /proc/mounts || true'), '0', 'no disk is mounted');
  assert.equal(await guest('mkdir -p /mnt/a && mount /dev/vda2 /mnt/a && cat /mnt/a/root/precious'), 'precious');
  assert.match(await rootHash(), /^\$/);
  assert.equal(await rootHash(), await rootHash('/mnt/a'));
  await guest('echo mended >>/mnt/a/root/precious; umount /mnt/a');
});

test('one that is meant for one start is over when its guest restarts', async () => {
  await guest('reboot').catch(() => {});
  const isOff = async () => (await driver.inspect(spec.instanceId))?.power === 'off';
  await until('it to be off', isOff, bootTimeoutMs);
  // The order is still the same: so it is where the VM comes back up by itself.
  await runVm(driver, { ...spec, ...rescue(false), bootNumber: 2 });
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('cat /root/precious'), 'precious\nmended');
});
