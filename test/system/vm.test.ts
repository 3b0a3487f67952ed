// The main job, whole: real VMs through Fluence's calls, reached by ssh and HTTP on their own addresses, through changes,
// deaths and restarts, until nothing of them is left.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { makeSshKey, startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { microImage } from '../support/images.ts';

interface Vm {
  id: string;
  vmName: string;
  status: string;
  publicIp: string | null;
  ports: { port: number; protocol: string }[];
}

let berth: TestBerth;
let directory: string;
let key: Awaited<ReturnType<typeof makeSshKey>>;
let badImages: Server;
let vm: Vm;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-vm-'));
  await mkdir(join(directory, 'images'));
  await copyFile(await microImage(), join(directory, 'images', 'micro.qcow2'));
  key = await makeSshKey(directory);
  badImages = createServer((request, response) => {
    if (request.url === '/page.img') response.end('<!DOCTYPE html><title>Not an image</title>'.padEnd(4096));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => badImages.listen(0, '127.0.0.1', resolve));
  berth = await startTestBerth({
    agent: 'real',
    directory,
    addressPool: '127.52.0.0/24',
    allowImageHosts: [`127.0.0.1:${portOf(badImages)}`],
    up: { patience: { backoffMsMin: 200 } },
  });
});

after(async () => {
  for (const { id } of await list()) await berth.call('DELETE', '/vms/v3', { vmIds: [id] });
  await until('every VM is gone', async () => (await readdir(join(directory, 'agent', 'vm'))).length === 0);
  await berth.close();
  badImages.close();
  await rm(directory, { recursive: true, force: true });
});

const portOf = (server: Server) => (server.address() as { port: number }).port;
const list = async () => (await berth.call<Vm[]>('GET', '/vms/v3')).body;
const find = async (id: string) => (await list()).find((found) => found.id === id);

async function deploy(
  name: string,
  osImage?: string,
  openPorts: { port: number; protocol: string }[] = [],
): Promise<string> {
  const catalog = (await berth.call<{ slug: string; downloadUrl: string }[]>('GET', '/vms/v3/default_images')).body;
  const { status, body } = await berth.call<{ vmId: string }[]>('POST', '/vms/v3', {
    constraints: { basicConfiguration: 'cpu-1-ram-1gb-storage-5gb', hardware: null, datacenter: null },
    instances: 1,
    vmConfiguration: {
      name,
      hostname: 'my-vm',
      openPorts,
      osImage: osImage ?? catalog.find(({ slug }) => slug === 'micro')?.downloadUrl,
      sshKeys: [key.publicKey],
    },
  });
  assert.equal(status, 201, JSON.stringify(body));
  return body[0]?.vmId ?? '';
}

async function ssh(command: string, user = 'root'): Promise<string> {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'ConnectTimeout=20',
    'LogLevel=ERROR',
  ];
  const args = [
    ...options.flatMap((option) => ['-o', option]),
    '-i',
    key.privateKeyFile,
    `${user}@${vm.publicIp}`,
    command,
  ];
  return (await promisify(execFile)('ssh', args, { timeout: 60_000 })).stdout.trim();
}

const sshWorks = () =>
  ssh('true').then(
    () => true,
    () => false,
  );

function portIsOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: vm.publicIp ?? '', port });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true)).once('error', () => done(false));
  });
}

/** The process that runs the VM. */
async function qemuPid(id: string): Promise<number | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(`guest=${id}\0`)) return Number(pid);
  }
  return undefined;
}

const reasons = async (id: string) =>
  (
    await berth.call<{ items: { kind: string; message: string }[] }>(
      'GET',
      `/berth/v1/events?instance=${id}&limit=1000`,
    )
  ).body.items;

test('a deployed VM is logged into by ssh on its own address, under its host name and with the whole disk', async () => {
  const id = await deploy('web-server', undefined, [{ port: 8080, protocol: 'tcp' }]);
  await until('it is active', async () => (await find(id))?.status === 'Active');
  vm = (await find(id)) as Vm;
  assert.match(vm.publicIp ?? '', /^127\.52\.0\.\d+$/);
  await until('ssh works', sshWorks);
  assert.equal(await ssh('hostname'), 'my-vm');
  assert.equal(await ssh('id -un', 'berth'), 'berth');
  const rootKib = Number(await ssh("df -k / | awk 'NR==2 {print $2}'"));
  assert.ok(rootKib > 4.5 * 1024 * 1024, `the root file system has ${rootKib} KiB of a 5 GiB disk`);
});

test('an open port answers from inside the VM, and a port that is not open is closed', async () => {
  await ssh('mkdir -p /www && echo from-the-guest > /www/index.html && httpd -p 8080 -h /www && httpd -p 9090 -h /www');
  assert.equal(await (await fetch(`http://${vm.publicIp}:8080/`)).text(), 'from-the-guest\n');
  assert.equal(await portIsOpen(9090), false);
});

test('PATCH replaces the open ports of the running VM, which goes on without a restart', async () => {
  const pid = await qemuPid(vm.id);
  const openPorts = [
    { port: 22, protocol: 'tcp' },
    { port: 9090, protocol: 'tcp' },
  ];
  const { status } = await berth.call('PATCH', '/vms/v3', { updates: [{ id: vm.id, vmName: 'renamed', openPorts }] });
  assert.equal(status, 204);
  await until('9090 is open', () => portIsOpen(9090));
  await until('8080 is closed', async () => !(await portIsOpen(8080)));
  assert.equal(await (await fetch(`http://${vm.publicIp}:9090/`)).text(), 'from-the-guest\n');
  assert.equal(await qemuPid(vm.id), pid);
  assert.deepEqual((await find(vm.id))?.ports, openPorts);
  assert.equal((await find(vm.id))?.vmName, 'renamed');
});

test('the VM runs on while Berth is stopped, and is adopted by the next one', async () => {
  const pid = await qemuPid(vm.id);
  const key = berth.apiKey;
  await berth.restart();
  assert.equal(berth.apiKey, key);
  await until('it is active again', async () => (await find(vm.id))?.status === 'Active');
  assert.equal(await qemuPid(vm.id), pid);
  assert.equal(await (await fetch(`http://${vm.publicIp}:9090/`)).text(), 'from-the-guest\n');
});

test('when QEMU dies the VM is started again with its disk, and the customer is told', async () => {
  await ssh('echo precious > /root/file && sync');
  const pid = await qemuPid(vm.id);
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  await until('another QEMU runs it', async () => ![undefined, pid].includes(await qemuPid(vm.id)));
  await until('ssh works again', sshWorks);
  assert.equal(await ssh('cat /root/file'), 'precious');
  await until('the customer is told', async () =>
    (await reasons(vm.id)).some(({ kind, message }) => kind === 'vm.died' && /started again/.test(message)),
  );
});

test('a VM switched off from inside is Stopped and stays off', async () => {
  await ssh('poweroff').catch(() => {});
  await until('it is stopped', async () => (await find(vm.id))?.status === 'Stopped');
  await until('its QEMU is gone', async () => (await qemuPid(vm.id)) === undefined);
  assert.equal((await find(vm.id))?.publicIp, null);
});

test('an image that does not exist, or is none, ends in Failed with the reason, and nothing is left', async () => {
  for (const [name, path, reason] of [
    ['missing', 'none.qcow2', /404/],
    ['page', 'page.img', /not a disk image|begins with/i],
  ] as const) {
    const id = await deploy(name, `http://127.0.0.1:${portOf(badImages)}/${path}`);
    await until(`${name} has failed`, async () => (await find(id))?.status === 'Failed');
    // An event is shown once no older transaction is under way.
    await until(`${name} says why`, async () =>
      (await reasons(id)).some(({ kind, message }) => kind === 'instance.failed' && reason.test(message)),
    );
    assert.match(berth.log(), new RegExp(`"instanceId":"${id}"[^\\n]*instance failed`));
    await until(`${name} holds no address`, async () => (await find(id))?.ports.length === 0);
    assert.equal((await readdir(join(directory, 'agent', 'vm'))).includes(id), false);
  }
});

test('DELETE leaves no process, no file and no address behind', async () => {
  const { status } = await berth.call('DELETE', '/vms/v3', { vmIds: [vm.id] });
  assert.equal(status, 200);
  assert.equal(await find(vm.id), undefined);
  await until('its directory is gone', async () => !(await readdir(join(directory, 'agent', 'vm'))).includes(vm.id));
  assert.equal(await qemuPid(vm.id), undefined);
  await until('the host has told', async () => (await reasons(vm.id)).some(({ kind }) => kind === 'instance.deleted'));
  const metrics = await (await fetch(`${berth.url}/metrics`)).text();
  for (const [, value] of metrics.matchAll(/^berth_drift\{.*\} (\d+)$/gm)) assert.equal(value, '0');
});
