// A VM's life on real QEMU, with one guest for all of it: started by an agent that is then killed, adopted, given other
// ports, switched off from inside, started again, losing its hypervisor, and erased.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import {
  banner,
  eraseVm,
  inGuest,
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

const address = '127.44.250.10';
/** An eighth of the usual limit, because an emulated serial port takes a minute for some megabytes. */
const serialLogBytes = 128 * 1024;
const tcp = (port: number) => ({ port, protocol: 'tcp' as const });

let ground: Scratch;
let driver: QemuDriver;
let spec: VmSpec;
let pid = 0;

const guest = (command: string) => inGuest(ground.keyPath, address, command);
const power = async () => (await driver.inspect(spec.instanceId))?.power;

before(async () => {
  ground = await scratch('life');
  spec = specOf(1, address, ground.publicKey, {
    hostname: 'lighthouse',
    disks: [{ id: 'disk', sizeMib: 2048 }],
    portRules: [tcp(22), tcp(80)],
  });
});
after(async () => {
  await driver?.close();
  await ground.clean();
});

test('a VM started by an agent that is killed runs on and is adopted by the next agent', async () => {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'driver-child.ts'), ground.directory, JSON.stringify(spec)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => text.includes('running') && resolve());
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
  });
  pid = qemuPid(spec.instanceId);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;

  driver = await qemuDriver(ground.directory, { limits: { serialLogBytes } });
  const [{ runningMs = 0, ...found } = {}, ...others] = await driver.observe();
  const size = { vcpus: spec.vcpus, memoryMib: spec.memoryMib };
  const expected = { instanceId: spec.instanceId, bootNumber: 1, power: 'running', address, size };
  assert.deepEqual([found, others], [expected, []]);
  const { birthtimeMs } = await stat(join(ground.directory, 'vm', spec.instanceId, 'run'));
  assert.ok(runningMs > 0 && runningMs <= Date.now() - birthtimeMs + 1000, `it has run since its start: ${runningMs}`);
  await runVm(driver, spec);
  await untilLogin(ground.keyPath, address);
  assert.equal(qemuPid(spec.instanceId), pid, 'it is the same process');
});

test('the guest has its host name, its disk has the size that was ordered, and its serial output is kept', async () => {
  assert.equal(await guest('hostname'), 'lighthouse');
  assert.equal(Number(await guest('cat /sys/block/vda/size')) * 512, 2 * 1024 ** 3);
  const serial = join(ground.directory, 'vm', spec.instanceId, 'serial.log');
  await until('the login prompt on the serial port', async () =>
    /lighthouse login:/.test(await readFile(serial, 'latin1')),
  );
});

test('what a guest uses is counted: processors, memory and disks; a network of QEMU’s own nobody counts', async () => {
  const counted = async () => (await driver.usage()).find(({ instanceId }) => instanceId === spec.instanceId);
  const began = performance.now();
  const before = await counted();
  const mib = 8;
  // A part of the disk that nothing has read before.
  await guest(`dd if=/dev/vda of=/dev/null bs=1M skip=1024 count=${mib} 2>/dev/null; echo x > /root/x; sync`);
  const now = await counted();
  assert.ok(before && now && before.run === now.run, JSON.stringify({ before, now }));
  const grown = (name: 'cpuSeconds' | 'diskReadBytes' | 'diskReads' | 'diskWriteBytes' | 'diskWrites') =>
    (now[name] ?? 0) - (before[name] ?? 0);
  const seconds = (performance.now() - began) / 1_000;
  assert.ok(grown('cpuSeconds') > 0 && grown('cpuSeconds') < seconds * (spec.vcpus + 2), `${grown('cpuSeconds')} s`);
  assert.ok(grown('diskReadBytes') >= mib * 1024 ** 2 && grown('diskReads') > 0, `${grown('diskReadBytes')} bytes`);
  assert.ok(grown('diskWriteBytes') > 0 && grown('diskWrites') > 0);
  assert.ok((now.memoryBytes ?? 0) > 16 * 1024 ** 2);
  assert.deepEqual([now.networkReceiveBytes, now.networkSendBytes], [null, null]);
});

test('QEMU runs as a user of its own without privileges, confined, and holds no path of the host', async () => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1];
  const userId = Number(field('Uid')?.split('\t')[0]);
  assert.ok(userId >= 0x70000000 && userId < 0x78000000, `user ${userId}`);
  assert.equal(field('NoNewPrivs'), '1');
  assert.equal(field('Seccomp'), '2');
  assert.equal(BigInt(`0x${field('CapBnd')}`), 1n << 10n, 'binding low ports is all it may');
  assert.equal(field('Groups')?.trim(), '');
  const { cgroups, users, packetFilter } = await driver.confinement();
  assert.deepEqual({ users, packetFilter }, { users: 'per-vm', packetFilter: true });
  if (cgroups !== null) assert.match(await readFile(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(spec.instanceId));
  const directory = join(ground.directory, 'vm', spec.instanceId);
  for (const name of await readdir(directory)) {
    const { uid, mode } = await stat(join(directory, name));
    if (name === 'run') assert.equal(mode & 0o777, 0o700);
    else assert.notEqual(uid, userId, `${name} belongs to QEMU`);
  }
});

test('open ports lead into the guest, all others are closed, and both change while it runs', async () => {
  await guest(
    'mkdir -p /tmp/www && echo harbour > /tmp/www/index.html && httpd -p 80 -h /tmp/www && httpd -p 81 -h /tmp/www',
  );
  const page = async (port: number) => await (await fetch(`http://${address}:${port}/index.html`)).text();
  assert.equal(await page(80), 'harbour\n');
  assert.equal(await banner(address, 81), null, 'port 81 is closed');
  const uptime = Number((await guest('cat /proc/uptime')).split(' ')[0]);

  await runVm(driver, { ...spec, portRules: [tcp(22), tcp(81), { port: 5353, protocol: 'udp' }] });
  assert.equal(await page(81), 'harbour\n');
  assert.equal(await banner(address, 80), null, 'port 80 is closed');
  assert.match(await readFile('/proc/net/udp', 'utf8'), /0AFA2C7F:14E9 /, 'the udp port is open');

  await runVm(driver, spec);
  await runVm(driver, spec);
  assert.equal(await page(80), 'harbour\n');
  assert.equal(await banner(address, 81), null, 'port 81 is closed again');
  assert.doesNotMatch(await readFile('/proc/net/udp', 'utf8'), /0AFA2C7F:14E9 /, 'the udp port is closed again');
  assert.equal(qemuPid(spec.instanceId), pid, 'it is the same process');
  assert.ok(Number((await guest('cat /proc/uptime')).split(' ')[0]) >= uptime, 'it was not restarted');
});

test('what a guest prints on its serial port is bounded and rotated', async () => {
  await guest('(dd if=/dev/zero bs=1024 count=512 | tr "\\0" "x"; echo; echo the last words) > /dev/ttyS0');
  const serial = join(ground.directory, 'vm', spec.instanceId, 'serial.log');
  await until('the end of the output', async () => /the last words/.test(await readFile(serial, 'latin1')));
  const names = (await readdir(join(ground.directory, 'vm', spec.instanceId))).filter((name) => /^serial/.test(name));
  assert.deepEqual(names.sort(), ['serial.log', 'serial.log.1']);
  for (const name of names) {
    const { size } = await stat(join(ground.directory, 'vm', spec.instanceId, name));
    assert.ok(size <= serialLogBytes, `${name} has ${size} bytes`);
  }
});

test('QEMU’s own log does not grow without end', async () => {
  const log = join(ground.directory, 'vm', spec.instanceId, 'qemu.log');
  await appendFile(log, 'a complaint\n'.repeat(10_000));
  await driver.observe();
  assert.equal((await stat(log)).size, 0);
});

test('a guest that powers itself off is found off, also when that happened while no agent was there', async () => {
  await guest('echo kept > /root/kept; sync');
  await driver.close();
  await guest('poweroff').catch(() => {}); // the connection may break before the answer
  // QEMU waits for somebody to see it: the guest is down when nothing greets any more.
  await until('the guest to be down', async () => (await banner(address, 22, 2_000)) === '', 60_000);
  driver = await qemuDriver(ground.directory);
  await until('the guest to be seen off', async () => (await power()) === 'off', 60_000);
  assert.deepEqual(qemuPids(spec.instanceId), [], 'nothing runs any more');
  assert.equal(await power(), 'off');
});

test('a VM that is off starts again on the same disk, without its image being asked for', async () => {
  await driver.close();
  driver = await qemuDriver(ground.directory, {
    images: { ensure: () => assert.fail('the image was asked for'), ensureIso: noCds },
  });
  const begin = performance.now();
  const started = until('QEMU to be started', () => qemuPids(spec.instanceId).length > 0).then(() => performance.now());
  await runVm(driver, { ...spec, disks: [{ id: 'disk', sizeMib: 3072 }], bootNumber: 2 });
  console.log(`run() to QEMU started: ${Math.round((await started) - begin)} ms (looked at every 100 ms)`);
  await untilLogin(ground.keyPath, address);
  assert.equal(await guest('cat /root/kept'), 'kept');
  assert.equal(Number(await guest('cat /sys/block/vda/size')) * 512, 3 * 1024 ** 3, 'the disk has grown');
});

test('a VM whose QEMU was killed is dead, says why, and tells so by itself', async () => {
  const told: string[] = [];
  driver.onChange((instanceId) => told.push(instanceId));
  process.kill(qemuPid(spec.instanceId), 'SIGKILL');
  await until('the news', () => told.length > 0);
  const found = await driver.inspect(spec.instanceId);
  const dead = {
    instanceId: spec.instanceId,
    bootNumber: 2,
    power: 'dead',
    reason: 'QEMU was ended by SIGKILL',
    address,
  };
  assert.deepEqual(found, dead);
});

test('a VM that hangs is erased in bounded time, and nothing of it is left', async () => {
  await runVm(driver, spec);
  process.kill(qemuPid(spec.instanceId), 'SIGSTOP');
  const hung = await driver.inspect(spec.instanceId);
  assert.deepEqual([hung?.power, hung?.reason], ['running', 'QEMU does not answer']);
  await eraseVm(driver, spec, 60_000);
  assert.deepEqual(await traces(ground.directory, spec.instanceId), []);
  assert.deepEqual(await driver.observe(), []);
  await eraseVm(driver, spec, 60_000);
});
