// The consoles of a real VM, through all of Berth, as a person uses them: the serial port by ssh, the screen through a tunnel.

import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Database } from '../../src/store/database.ts';
import { freePort, type KeyPair, keyPair } from '../agent/ssh/support.ts';
import { bootTimeoutMs, inGuest, qemuPid, untilLogin } from '../agent/vm/support.ts';
import { openStore } from '../api/support.ts';
import { startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { microImage } from '../support/images.ts';
import { Screen } from './screen.ts';
import { authorize, managementAddress, Person, untilDoor } from './support.ts';

let directory: string;
let berth: TestBerth;
let database: Database;
let key: KeyPair;
let vm: string;
/** Of the VM's consoles, and of the VM itself. */
let [address, ownAddress] = ['', ''];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-console-'));
  await mkdir(join(directory, 'images'));
  await copyFile(await microImage(), join(directory, 'images', 'micro.qcow2'));
  berth = await startTestBerth({
    ...{ agent: 'real', directory, addressPool: '127.68.4.0/24', consolePool: '127.69.4.0/24' },
  });
  database = await openStore(berth);
  key = await keyPair(directory, 'admin');
  await authorize(database, 'admin', key);
  const images = (await berth.call<{ slug: string; downloadUrl: string }[]>('GET', '/vms/v3/default_images')).body;
  const { status, body } = await berth.call<{ vmId: string }[]>('POST', '/vms/v3', {
    constraints: { basicConfiguration: 'cpu-1-ram-1gb-storage-5gb' },
    instances: 1,
    vmConfiguration: {
      ...{ name: 'box', openPorts: [], sshKeys: [key.line] },
      osImage: images.find(({ slug }) => slug === 'micro')?.downloadUrl,
    },
  });
  assert.equal(status, 201, JSON.stringify(body));
  vm = body[0]?.vmId ?? '';
  address = await managementAddress(database, vm);
  const row = await database.selectFrom('main_address').where('instance_id', '=', vm).select('ip').executeTakeFirst();
  ownAddress = row?.ip ?? '';
  await untilDoor(address);
});
after(async () => {
  await berth.call('DELETE', '/vms/v3', { vmIds: [vm] });
  await until('the VM is gone', async () => (await readdir(join(directory, 'agent', 'vm'))).length === 0);
  await database.destroy();
  await berth.close();
  await rm(directory, { recursive: true, force: true });
});

test('a person watches the VM boot, logs in on the serial console and runs a command', async () => {
  await until('there is something to watch', async () => {
    const early = new Person('admin', key, address);
    await Promise.race([early.left, early.sees('login: ', bootTimeoutMs)]);
    await early.leave();
    return early.seen.includes('login: ');
  });
  await untilLogin(key.path, ownAddress);
  const hash = await inGuest(key.path, ownAddress, "echo 'a serial password' | mkpasswd -m sha512 -P 0");
  await inGuest(key.path, ownAddress, `sed -i 's|^root:[^:]*|root:${hash}|' /etc/shadow`);
  const person = new Person('admin', key, address);
  await person.sees('login: ');
  person.type('root\r');
  await person.sees(/assword: ?$/);
  person.type('a serial password\r');
  await person.sees('~ # ');
  person.type('echo the answer is $((6 * 7))\r');
  await person.sees('the answer is 42\r\n');
  person.wipe();
  person.type('exit\r');
  await person.sees('login: ');
  // OpenSSH's own way out.
  person.type('\r~.');
  assert.equal(await person.left, 255);
});

test('a VNC client sees the screen through a tunnel to the management address', async () => {
  const port = await freePort();
  const tunnel = new Person('admin', key, address, ['-N', '-L', `${port}:${address}:5900`]);
  let screen: Screen | undefined;
  await until('the tunnel is there', async () => {
    screen = await Screen.over(connect(port, '127.0.0.1')).catch(() => undefined);
    return screen !== undefined;
  });
  assert.ok(screen);
  assert.equal(screen.version, 'RFB 003.008\n');
  assert.ok(screen.width >= 640 && screen.height >= 400, `${screen.width} x ${screen.height}`);
  const pixels = await screen.update();
  assert.equal(pixels.length, screen.width * screen.height * 4);
  assert.ok(new Set(pixels).size > 1, 'something is shown');
  screen.close();
  await tunnel.leave();
});

test('the agent and the server go and come back; the console breaks off, the VM does not notice, and one connects again', async () => {
  const pid = qemuPid(vm);
  const before = new Person('admin', key, address);
  before.type('\r');
  await before.sees('login: ');
  await database.destroy();
  await berth.restart();
  database = await openStore(berth);
  assert.equal(await before.left, 255);
  assert.equal(qemuPid(vm), pid);
  await untilDoor(address);
  const person = new Person('admin', key, address);
  await person.sees('login: ');
  person.wipe();
  person.type('\r');
  await person.sees('login: ');
  await person.leave();
});

test('a terminal that somebody has paused keeps neither the guest nor others waiting', async () => {
  const [paused, watching] = [new Person('admin', key, address), new Person('admin', key, address)];
  for (const person of [paused, watching]) await person.sees('login: ');
  paused.pause();
  await inGuest(key.path, ownAddress, 'seq 3000 > /dev/ttyS0; echo all said > /dev/ttyS0');
  await watching.sees('all said\r\n', bootTimeoutMs);
  assert.equal((await berth.call('GET', '/vms/v3')).status, 200);
  await paused.leave();
  await watching.leave();
});
