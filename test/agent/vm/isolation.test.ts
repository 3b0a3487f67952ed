// The wall between guests and their host, on real QEMU: what a guest with root rights and any routes it likes can reach of
// the host and of its neighbour. Also what happens to ports that somebody else on the host already uses.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { DriverFailure } from '../../../src/agent/driver.ts';
import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import type { QemuDriver } from '../../../src/agent/vm/qemu.ts';
import {
  banner,
  eraseVm,
  inGuest,
  qemuDriver,
  qemuPids,
  runVm,
  type Scratch,
  scratch,
  specOf,
  traces,
  untilLogin,
  wallsName,
} from './support.ts';

const nft = promisify(execFile);
const ports = (...numbers: number[]) => numbers.map((port) => ({ port, protocol: 'tcp' as const }));

const attackerAddress = '127.44.251.10';
const neighbourAddress = '127.44.251.11';
const restrictedAddress = '127.44.251.12';
/** A port of the neighbour's that is in use on all addresses of the host. */
const sharedPort = 28_088;

let ground: Scratch;
let driver: QemuDriver;
let attacker: VmSpec;
let neighbour: VmSpec;
/** A program of the host's that listens on all addresses, as an SSH or web server does. */
let hostProgram: Server;
let hostConnections = 0;

/** What the guest at `from` gets when it connects, as a machine that is not shy of odd addresses would. */
const reach = (from: string, address: string, port: number) =>
  inGuest(ground.keyPath, from, `echo | nc -w 4 ${address} ${port} 2>/dev/null || true`);

before(async () => {
  ground = await scratch('isolation');
  hostProgram = createServer((socket) => {
    hostConnections += 1;
    socket.on('error', () => {}).end('host program\n');
  });
  await new Promise<void>((resolve) => hostProgram.listen(sharedPort, '0.0.0.0', resolve));
  driver = await qemuDriver(ground.directory, { limits: { isolationCheckEveryMs: 0 } });
  attacker = specOf(1, attackerAddress, ground.publicKey);
  neighbour = specOf(2, neighbourAddress, ground.publicKey, { portRules: ports(22, 80, sharedPort) });
  await Promise.all([runVm(driver, attacker), runVm(driver, neighbour)]);
  await Promise.all([attacker, neighbour].map(({ address }) => untilLogin(ground.keyPath, address)));
  // Loopback addresses are the guest's own in a well-behaved guest; this one sends them to its gateway.
  await inGuest(
    ground.keyPath,
    attackerAddress,
    `echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
     echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet
     ip route del table local local 127.0.0.0/8 dev lo
     ip route add 127.0.0.0/8 via 10.0.2.2 src 10.0.2.15`,
  );
  const serve = (port: number) => `(while true; do echo neighbour ${port} | nc -l -p ${port}; done) >/dev/null 2>&1 &`;
  await inGuest(ground.keyPath, neighbourAddress, `${serve(80)} ${serve(81)} ${serve(sharedPort)}`);
});
after(async () => {
  hostProgram?.close();
  await driver?.close();
  await ground.clean();
});

test('a guest reaches no service of the host, by whatever address', async () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const addresses = own.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
  hostConnections = 0;
  for (const address of ['10.0.2.2', '127.0.0.1', '127.44.251.200', ...addresses]) {
    assert.equal(await reach(attackerAddress, address, sharedPort), '', `${address} answered`);
  }
  assert.equal(hostConnections, 0, 'nothing arrived');
});

test("a guest reaches its neighbour's open ports and no others", async () => {
  assert.equal(await reach(attackerAddress, neighbourAddress, 80), 'neighbour 80');
  assert.equal(await reach(attackerAddress, neighbourAddress, 81), '');
});

test('a port that a program of the host holds on all addresses is the VM’s on its own address', async () => {
  assert.equal(await banner(neighbourAddress, sharedPort), `neighbour ${sharedPort}\n`);
  assert.equal(await banner('127.0.0.1', sharedPort), 'host program\n');
  hostConnections = 0;
  assert.equal(await reach(attackerAddress, neighbourAddress, sharedPort), `neighbour ${sharedPort}`);
  assert.equal(hostConnections, 0, "the guest reached its neighbour, not the host's program");

  // Another agent finds it as it is, and can close it.
  await driver.close();
  driver = await qemuDriver(ground.directory, { limits: { isolationCheckEveryMs: 0 } });
  await runVm(driver, neighbour);
  assert.equal(await banner(neighbourAddress, sharedPort), `neighbour ${sharedPort}\n`);
  await runVm(driver, { ...neighbour, portRules: ports(22, 80) });
  assert.equal(await banner(neighbourAddress, sharedPort), 'host program\n', 'the redirection is gone');
  hostConnections = 0;
  assert.equal(await reach(attackerAddress, neighbourAddress, sharedPort), '', 'a closed port leads nowhere');
  assert.equal(hostConnections, 0);
});

test('rules that somebody else flushes are put back, with the open ports', async () => {
  await nft('nft', ['delete', 'table', 'inet', await wallsName(ground.directory)]);
  assert.equal(await reach(attackerAddress, '10.0.2.2', sharedPort), 'host program', 'the wall is what holds');
  await driver.observe();
  assert.equal(await reach(attackerAddress, '10.0.2.2', sharedPort), '');
  assert.equal(await reach(attackerAddress, neighbourAddress, 80), 'neighbour 80');
});

test('an address and port that another program holds is refused with a clear message, and nothing is started', async () => {
  const holder = createServer().listen(22, '127.44.251.20');
  try {
    const spec = specOf(3, '127.44.251.20', ground.publicKey);
    await assert.rejects(runVm(driver, spec), (error) => {
      assert.ok(error instanceof DriverFailure);
      assert.deepEqual([error.code, error.permanent], ['vm.address-in-use', false]);
      assert.equal(error.message, 'Port 22/tcp of 127.44.251.20 is held by another program or VM on the host.');
      return true;
    });
    assert.deepEqual(qemuPids(spec.instanceId), []);
    await eraseVm(driver, spec);
    const elsewhere = specOf(4, '203.0.113.77', ground.publicKey);
    await assert.rejects(runVm(driver, elsewhere), { code: 'vm.address-unusable' });
    await eraseVm(driver, elsewhere);
  } finally {
    holder.close();
  }
});

test('where the packet filter can not be used, guests have no way out at all, and it is said', async () => {
  const log: string[] = [];
  const directory = join(ground.directory, 'restricted');
  const restricted = await qemuDriver(directory, { user: null, log });
  const spec = specOf(5, restrictedAddress, ground.publicKey);
  try {
    await runVm(restricted, spec);
    assert.equal((await restricted.confinement()).packetFilter, false);
    assert.match(log.join('\n'), /no way out/);
    await untilLogin(ground.keyPath, restrictedAddress);
    hostConnections = 0;
    assert.equal(await reach(restrictedAddress, '10.0.2.2', sharedPort), '');
    assert.equal(hostConnections, 0);
  } finally {
    await restricted.erase(spec.instanceId, 0);
    await restricted.close();
  }
});

test('erasing lets the guest shut down first, and leaves nothing of it and all of its neighbour', async () => {
  // Open files outlive their names.
  const serial = await open(join(ground.directory, 'vm', attacker.instanceId, 'serial.log'));
  await eraseVm(driver, attacker, 120_000);
  assert.match((await serial.readFile('latin1')).slice(-500), /reboot: Power down/);
  await serial.close();
  assert.deepEqual(
    (await traces(ground.directory, attacker.instanceId)).filter((trace) => trace.includes(attacker.instanceId)),
    [],
  );
  const { stdout } = await nft('nft', ['list', 'ruleset']);
  assert.doesNotMatch(stdout, new RegExp(attacker.instanceId));
  assert.equal(await banner(neighbourAddress, 80), 'neighbour 80\n');
  await eraseVm(driver, neighbour);
  assert.deepEqual(await traces(ground.directory, neighbour.instanceId), []);
});
