// Hardware profiles: where each drive is plugged in, and a guest that starts on an old PC's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainMachine } from '../../../src/agent/vm/driver.ts';
import { type Drive, deviceArgument, driveDevices, networkCard, otherDevices } from '../../../src/agent/vm/profile.ts';
import { inGuest, qemuDriver, runVm, scratch, specOf, untilLogin } from './support.ts';

const drive = (name: string): Drive => ({ id: `${name}0`, node: name, serial: name });
const disks = (count: number) => Array.from({ length: count }, (_, index) => drive(`d${index}`));
const placesOf = (count: number, hasCd: boolean) =>
  driveDevices('compatibility2013', {
    disks: disks(count),
    cdrom: hasCd ? drive('cd') : null,
    seed: drive('seed'),
  }).map(({ driver, drive: node, bus, unit }) =>
    [driver, node, bus, unit].filter((part) => part !== undefined).join(' '),
  );

test('an old PC has its disks and its CD on IDE, and a controller more where these have no place', () => {
  assert.deepEqual(placesOf(1, false), ['ide-hd d0 ide.0 0', 'ide-cd seed ide.0 1']);
  assert.deepEqual(placesOf(2, true), [
    'ide-hd d0 ide.0 0',
    'ide-hd d1 ide.0 1',
    'ide-cd cd ide.1 0',
    'ide-cd seed ide.1 1',
  ]);
  const full = placesOf(8, true);
  assert.equal(full[0], 'ahci', 'the controller comes before what is plugged into it');
  assert.equal(
    new Set(full.slice(1).map((text) => text.replace(/^\S+ \S+ /, ''))).size,
    10,
    'each has a place of its own',
  );
  assert.deepEqual(full.slice(1, 4), ['ide-hd d0 ide.0 0', 'ide-hd d1 ide.0 1', 'ide-hd d2 ide.1 1']);
  assert.equal(full.at(-1), 'ide-cd seed sata.5 0');
});

test('a CD is tried first and the first disk after it, on every hardware', () => {
  for (const profile of ['virtio2013', 'compatibility2013'] as const) {
    const devices = driveDevices(profile, { disks: disks(3), cdrom: drive('cd'), seed: drive('seed') });
    const order = devices.filter(({ bootindex }) => bootindex !== undefined);
    assert.deepEqual(
      order.map(({ drive: node, bootindex }) => [node, bootindex]).toSorted((a, b) => Number(a[1]) - Number(b[1])),
      [
        ['cd', 0],
        ['d0', 1],
      ],
    );
  }
});

test('paravirtual devices are on the one hardware alone', () => {
  const all = (profile: 'virtio2013' | 'compatibility2013') => [
    ...driveDevices(profile, { disks: disks(2), cdrom: null, seed: drive('seed') }),
    networkCard(profile, 'n0', '52:54:00:00:00:01'),
    ...otherDevices(profile),
  ];
  assert.ok(all('virtio2013').every(({ driver }) => driver.startsWith('virtio-')));
  assert.ok(all('compatibility2013').every(({ driver }) => !driver.startsWith('virtio-')));
  assert.equal(deviceArgument(networkCard('compatibility2013', 'n0', 'aa')), 'e1000,netdev=n0,mac=aa,romfile=');
});

test('micro starts on an old PC with two disks, and has its network, its keys and its name', async (t) => {
  const address = '127.66.45.1';
  const ground = await scratch('profile');
  const driver = await qemuDriver(ground.directory);
  t.after(async () => {
    await driver.close();
    await ground.clean();
  });
  const spec = specOf(1, address, ground.publicKey, {
    hostname: 'old-iron',
    disks: [
      { id: 'one', sizeMib: 1024 },
      { id: 'two', sizeMib: 64 },
    ],
    machine: { ...plainMachine, hardwareProfile: 'compatibility2013' },
  });
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  const guest = (command: string) => inGuest(ground.keyPath, address, command);
  assert.equal(await guest('hostname'), 'old-iron');
  assert.equal(await guest('basename $(readlink /sys/class/net/eth0/device/driver)'), 'e1000');
  // By their places on the controllers: Linux looks at disks side by side, and names them as they answer.
  const sizes = 'for disk in $(ls -d /sys/bus/scsi/devices/*/block/sd* | sort -V); do cat $disk/size; done';
  assert.equal(await guest(sizes), `${1024 * 2048}\n${64 * 2048}`);
  assert.equal(await guest('ls /sys/bus/virtio/devices 2>/dev/null | wc -l'), '0');
});
