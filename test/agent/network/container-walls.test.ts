// The wall around containers, for real: a host in a network namespace of its own, with a Docker Engine that rules its packet
// filter as in production, and beyond it another namespace that is the internet, the operator's network and a cloud at once.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { bridgeOf } from '../../../src/agent/container/names.ts';
import { importImage, outputIn } from '../../support/docker.ts';

const run = promisify(execFile);
const childFile = join(import.meta.dirname, 'container-walls-child.ts');

const host = `bw${process.pid}h`;
const outside = `bw${process.pid}o`;
const hostAddress = '203.0.113.1';
const outsideAddress = '203.0.113.2';
/** The addresses that the containers have for the public. */
const publicAddresses = ['203.0.113.10', '203.0.113.11'] as const;
const internetServer = '198.51.100.80';
/** The operator's own resolver, in the operator's own network. */
const resolver = '10.53.0.53';
/** What is no business of a customer's: private networks, a carrier's, a cloud's metadata. */
const closed = ['10.9.9.9', '172.20.1.1', '192.168.7.7', '100.64.1.1', '169.254.169.254'];

let directory: string;
let resolverFile: string;
let docker: Docker;
const servers: ChildProcess[] = [];

const inside = (namespace: string, ...words: string[]) => ['nsenter', `--net=/run/netns/${namespace}`, '--', ...words];
const child = (...words: string[]) => [process.execPath, childFile, ...words];

async function execute([file = '', ...words]: string[]): Promise<string> {
  return (await run(file, words, { timeout: 60_000 })).stdout.trim();
}
const ip = (...words: string[]) => execute(['ip', ...words]);
const walls = (command: string) => execute(inside(host, ...child(command, resolverFile)));

async function serve(namespace: string, ...words: string[]): Promise<void> {
  const [file = '', ...rest] = inside(namespace, ...child(...words));
  const server = spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(server);
  await once(server.stdout, 'data');
}

/** A container on a bridge that is named as the driver names it. */
async function start(instanceId: string, block: number, publicAddress: string): Promise<Docker.Container> {
  await docker.createNetwork({
    Name: instanceId,
    Driver: 'bridge',
    IPAM: { Driver: 'default', Config: [{ Subnet: `10.213.0.${block}/29`, Gateway: `10.213.0.${block + 1}` }] },
    Options: { 'com.docker.network.bridge.name': bridgeOf(instanceId) },
  });
  const container = await docker.createContainer({
    Image: 'busybox:latest',
    Cmd: ['sh', '-c', 'mkdir /web; hostname >/web/index.html; httpd -h /web -p 81; exec httpd -f -h /web -p 80'],
    Hostname: `at-${block}`,
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { NetworkMode: instanceId, PortBindings: { '80/tcp': [{ HostIp: publicAddress, HostPort: '80' }] } },
  });
  await container.start();
  return container;
}

let customer: Docker.Container;
let neighbour: Docker.Container;

/** What the customer’s container gets from an address. (`wget -T` of Debian’s static busybox crashes.) */
const reach = (address: string) => outputIn(docker, customer, `timeout 2 wget -q -O - http://${address}/ 2>/dev/null`);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-dk-'));
  resolverFile = join(directory, 'resolv.conf');
  await writeFile(resolverFile, `nameserver ${resolver}\n`);
  for (const name of [host, outside]) {
    await ip('netns', 'add', name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  await ip('link', 'add', 'up0', 'netns', host, 'type', 'veth', 'peer', 'name', 'down0', 'netns', outside);
  for (const address of [hostAddress, ...publicAddresses])
    await ip('-n', host, 'addr', 'add', `${address}/24`, 'dev', 'up0');
  await ip('-n', outside, 'addr', 'add', `${outsideAddress}/24`, 'dev', 'down0');
  await ip('-n', host, 'link', 'set', 'up0', 'up');
  await ip('-n', outside, 'link', 'set', 'down0', 'up');
  await ip('-n', host, 'route', 'add', 'default', 'via', outsideAddress);
  for (const address of [internetServer, resolver, ...closed]) {
    await ip('-n', outside, 'addr', 'add', `${address}/32`, 'dev', 'lo');
  }
  await serve(outside, 'serve', 'outside', '80');
  await serve(outside, 'resolve', resolver, internetServer);
  await serve(host, 'serve', 'host', '8088');
  // The Engine's own view of the file that lists the host's resolvers.
  const withResolver = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mount --bind "$0" /etc/resolv.conf && exec "$@"',
    resolverFile,
  ];
  const engineDirectory = join(directory, 'engine');
  await execute(inside(host, ...withResolver, ...child('engine', engineDirectory)));
  docker = new Docker({ socketPath: join(engineDirectory, 'docker.sock') });
  await importImage(docker, 'busybox', 'busybox:latest');
  await walls('admit');
  customer = await start(`0xaaaaaaaaaaaa${'0'.repeat(28)}`, 0, publicAddresses[0]);
  neighbour = await start(`0xbbbbbbbbbbbb${'0'.repeat(28)}`, 8, publicAddresses[1]);
});
after(async () => {
  for (const server of servers) server.kill();
  await execute(inside(host, ...child('remove', join(directory, 'engine'))));
  for (const name of [host, outside]) await ip('netns', 'del', name);
  await rm(directory, { recursive: true, force: true });
});

test('a container reaches the internet, by names that the operator’s own resolver knows', async () => {
  assert.equal(await reach(internetServer), `outside ::ffff:${hostAddress}\n`);
  assert.equal(await reach('www.example.com'), `outside ::ffff:${hostAddress}\n`);
  assert.equal(await reach(resolver), '', 'a resolver is asked for names, and nothing else');
});

test('a container reaches no service of its host, by whatever address', async () => {
  const addresses = [hostAddress, ...publicAddresses, '10.213.0.1', '10.213.0.9', '127.0.0.1'];
  for (const address of addresses) assert.equal(await reach(`${address}:8088`), '', address);
  assert.equal(await execute(inside(host, ...child('fetch', 'http://127.0.0.1:8088'))), 'host ::ffff:127.0.0.1');
});

test('a container reaches no other container, neither where it is nor by its public address', async () => {
  for (const address of ['10.213.0.10', '10.213.0.10:81', publicAddresses[1]]) {
    assert.equal(await reach(address), '', address);
  }
});

test('a container reaches no private network and no metadata', async () => {
  for (const address of closed) assert.equal(await reach(address), '', address);
});

test('a published port is reached from outside, and any port from the host', async () => {
  const from = (namespace: string, url: string) => execute(inside(namespace, ...child('fetch', url)));
  assert.equal(await from(outside, `http://${publicAddresses[1]}`), 'at-8');
  assert.equal(await from(host, `http://${publicAddresses[1]}`), 'at-8');
  assert.equal(await from(host, 'http://10.213.0.10:81'), 'at-8', 'as the ingress reaches it');
  await assert.rejects(from(outside, `http://${publicAddresses[1]}:81`), /fetch failed/);
});

test('a resolver on the host itself is asked, also one on its loopback', async () => {
  for (const address of [hostAddress, '127.0.0.53']) {
    await serve(host, 'resolve', address, internetServer);
    await writeFile(resolverFile, `nameserver ${address}\n`);
    await walls('admit');
    await customer.restart({ t: 0 });
    assert.equal(await reach('www.example.com'), `outside ::ffff:${hostAddress}\n`, address);
  }
});

test('a wall that somebody else takes away is what held, and is put back', async () => {
  assert.equal(await walls('mend'), 'false', 'it stands');
  await execute(inside(host, 'nft', 'delete', 'table', 'inet', 'berth_containers'));
  for (const address of [hostAddress, '10.213.0.1']) assert.match(await reach(`${address}:8088`), /^host /, address);
  for (const address of closed) assert.match(await reach(address), /^outside /, address);
  assert.equal(await walls('mend'), 'true');
  assert.equal(await reach(`${hostAddress}:8088`), '');
  assert.equal(await reach('169.254.169.254'), '');
});

test('the wall stays as long as there is a container, also one that does not run', async () => {
  const tables = () => execute(inside(host, 'nft', 'list', 'tables', 'inet'));
  await customer.stop({ t: 0 });
  await neighbour.stop({ t: 0 });
  await walls('dismiss');
  assert.match(await tables(), /berth_containers/);
  for (const { Id, Driver } of await docker.listNetworks()) {
    if (Driver !== 'bridge') continue;
    for (const container of [customer, neighbour]) await container.remove({ force: true }).catch(() => {});
    await docker.getNetwork(Id).remove();
  }
  await walls('dismiss');
  assert.equal(await tables(), '');
  assert.equal(await walls('mend'), 'false', 'nothing is behind it');
});
