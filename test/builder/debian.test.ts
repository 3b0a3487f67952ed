// The debian-12 image, built from packages and booted once in a real QEMU: that it is a whole Debian which takes its seed.
// It builds and boots for minutes, so everything is asked of one guest.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeSeed } from '../../src/agent/disk/seed.ts';
import { seedOf } from '../../src/agent/vm/first-boot.ts';
import { buildImage } from '../../src/builder/image.ts';
import { publicSources } from '../../src/builder/sources.ts';
import { makeKey, makeOverlay, RawQemu } from './raw-qemu.ts';

/** A minute where nothing else runs, several on a loaded machine. */
const bootTimeoutMs = 8 * 60_000;
const powerOffTimeoutMs = 3 * 60_000;

const guest = {
  ...{ instanceId: `0x${'d'.repeat(40)}`, hostname: 'web-3', vcpus: 2, memoryMib: 1024, disks: [], bootNumber: 1 },
  ...{ image: { url: '', imaging: 2 }, address: '10.0.2.15', portRules: [] },
};

describe('a VM of the debian-12 image', () => {
  let directory: string;
  let keyFile: string;
  let qemu: RawQemu;
  const run = (command: string): Promise<string> => qemu.ssh('debian', keyFile, command);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'berth-debian-'));
    const image = join(directory, 'debian-12.qcow2');
    await buildImage('debian-12', image, { scratchDir: join(directory, 'scratch') });
    const key = await makeKey(directory, 'tester');
    keyFile = key.file;
    const hardware = { directory, disk: join(directory, 'disk.qcow2'), seed: join(directory, 'seed.iso') };
    // As the agent tells it: what a first boot is told has to work here, too.
    const firstBootScript = '#!/bin/sh\necho ran >>/root/runs\nip -4 addr show >>/root/runs\n';
    const spec = { ...guest, sshKeys: [key.publicKey] };
    await makeSeed(hardware.seed, seedOf(spec, { imaging: 2, rootPassword: 'swordfish', firstBootScript }));
    await makeOverlay(image, hardware.disk, 5);
    qemu = new RawQemu({ ...hardware, machine: 'q35', bus: 'virtio', cores: 2, memoryMib: 1024 });
    await qemu.waitForLogin('debian', keyFile, 'true', () => true, bootTimeoutMs);
    const settled = (status: string): boolean => !/running|not run/.test(status);
    await qemu.waitForLogin('debian', keyFile, 'cloud-init status || true', settled, bootTimeoutMs);
  });
  after(async () => {
    await qemu?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('is Debian 12, and cloud-init found nothing wrong', async () => {
    assert.match(await run('. /etc/os-release; echo $ID $VERSION_ID'), /^debian 12$/);
    assert.match(await run('cloud-init status --long'), /status: done[\s\S]*NoCloud/);
    assert.equal(await run('systemctl --failed --no-legend --plain'), '');
  });

  test('lets the key in as debian, who may become root, and as root', async () => {
    assert.equal(await run('id -un; sudo -n id -un'), 'debian\nroot');
    assert.equal(await qemu.ssh('root', keyFile, 'id -un'), 'root');
  });

  test('has the host name, the root password and the first-boot script of the seed', async () => {
    assert.equal(await run('hostname'), 'web-3');
    assert.match(await run('sudo grep ^root: /etc/shadow'), /^root:\$/);
    const settings = await run('sudo sshd -T');
    assert.match(settings, /^permitrootlogin yes$/m);
    assert.match(settings, /^passwordauthentication yes$/m);
    assert.match(await run('sudo cat /root/runs'), /^ran\n[\s\S]*10\.0\.2\.15/);
  });

  test('fills its disk, and knows its network and name servers by DHCP', async () => {
    assert.ok(Number(await run('df -k --output=size / | tail -1')) > 4.6 * 1024 ** 2);
    assert.match(await run('ip route'), /default via 10\.0\.2\.2/);
    assert.match(await run('resolvectl dns'), /10\.0\.2\.3/);
  });

  test('can write its boot menu anew, as a kernel upgrade does', async () => {
    assert.match(await run('sudo update-grub 2>&1'), /Found linux image/);
    assert.match(await run('sudo cat /boot/grub/grub.cfg'), /menuentry[\s\S]*console=ttyS0/);
  });

  test('holds no key, identity or package source of the machine that built it', async () => {
    assert.notEqual(await run('cat /etc/machine-id'), '');
    assert.equal(await run('ls /etc/apt/apt.conf.d | grep -c mmdebstrap || true'), '0');
    assert.equal(await run('cat /etc/apt/sources.list; ls /etc/apt/sources.list.d'), publicSources.oneLine.trim());
  });

  test('shows a login on the serial console and powers off by the power button', async () => {
    assert.match(qemu.serial, /web-3 login:/);
    await qemu.qmp('system_powerdown');
    assert.equal(await qemu.waitForEnd(powerOffTimeoutMs), 0);
  });
});
