// More than one host and more than one server: what a customer and an operator may rely on when a host is cut off, when a
// server dies, and when a host is drained. Real VMs, real networks, real processes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { qemuPid } from '../agent/vm/support.ts';
import { callApi, makeSshKey, until } from '../support/berth.ts';
import { Fleet, type FleetHost } from './fleet.ts';

const run = promisify(execFile);
const nftPath = { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };
/** Emulated guests that start together on a busy machine take many times a single one's 7 s. */
const bootMsMax = 300_000;

interface Vm {
  id: string;
  status: string;
  publicIp: string | null;
}

let fleet: Fleet;
let hostA: FleetHost;
let hostB: FleetHost;
let key: Awaited<ReturnType<typeof makeSshKey>>;
/** Which replica the customer speaks to. */
let replica = 0;

before(async () => {
  fleet = await Fleet.create();
  [hostA, hostB] = fleet.hosts as [FleetHost, FleetHost];
  key = await makeSshKey(fleet.directory);
});
after(() => fleet?.close());

const call = <Body>(method: string, path: string, body?: unknown, headers?: Record<string, string>, at = replica) =>
  callApi<Body>(fleet.replicas[at]?.url ?? '', fleet.apiKey, method, path, body, headers);
const list = async () => (await call<Vm[]>('GET', '/vms/v3')).body;

function request(name: string, instances: number): object {
  const vmConfiguration = { name, osImage: fleet.imageUrl, sshKeys: [key.publicKey], openPorts: [] };
  return { instances, constraints: { basicConfiguration: 'cpu-1-ram-1gb-storage-5gb' }, vmConfiguration };
}

async function deploy(name: string, instances: number): Promise<string[]> {
  const { status, body } = await call<{ vmId: string }[]>('POST', '/vms/v3', request(name, instances));
  assert.equal(status, 201, JSON.stringify(body));
  return body.map(({ vmId }) => vmId);
}

/** Where the database has an instance. */
async function hostOf(id: string): Promise<FleetHost> {
  const { host_id } = await fleet.database
    .selectFrom('instance')
    .where('id', '=', id)
    .select('host_id')
    .executeTakeFirstOrThrow();
  return host_id === hostA.id ? hostA : hostB;
}

async function untilActive(ids: readonly string[]): Promise<void> {
  await until(
    'all are active',
    async () => {
      const byId = new Map((await list()).map((vm) => [vm.id, vm.status]));
      return ids.every((id) => byId.get(id) === 'Active');
    },
    bootMsMax,
  );
}

/** Runs a command in a VM, from within its host's network. */
async function ssh(id: string, command: string): Promise<string> {
  const { publicIp } = (await list()).find((vm) => vm.id === id) ?? {};
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR'];
  const args = [...options.flatMap((option) => ['-o', option]), '-o', 'ConnectTimeout=20', '-i', key.privateKeyFile];
  const line = (await hostOf(id)).namespace.inside('ssh', [...args, `berth@${publicIp}`, command]);
  return (await run(...line, { timeout: 60_000 })).stdout.trim();
}

const reach = (host: FleetHost) =>
  fleet.database
    .selectFrom('host')
    .innerJoin('host_health', 'host_id', 'host.id')
    .where('host.id', '=', host.id)
    .select(['reachable', 'reachable_changed_at', 'last_seen_at'])
    .executeTakeFirstOrThrow();

async function offeredHosts(): Promise<number> {
  const { status, body } = await call<{ servers: unknown[] }[]>('POST', '/marketplace/offers', {});
  assert.equal(status, 200);
  return body[0]?.servers.length ?? 0;
}

/** Every instance that lives is on its own host exactly once, and nowhere else. */
async function assertEachOnce(ids: readonly string[]): Promise<void> {
  const expected = new Map<FleetHost, string[]>(fleet.hosts.map((host) => [host, []]));
  for (const id of ids) expected.get(await hostOf(id))?.push(id);
  for (const [host, there] of expected) assert.deepEqual(host.running().sort(), there.sort(), host.name);
}

let first: string[] = [];

test('VMs of one account run on two hosts, and each answers in its own host’s network', async () => {
  assert.equal(await offeredHosts(), 2);
  const [one = ''] = await deploy('one', 1);
  // Which host is the better fit depends on what else happens on this machine's disk.
  const { name } = await hostOf(one);
  await fleet.berth('host', 'drain', name);
  const [other = ''] = await deploy('other', 1);
  await fleet.berth('host', 'open', name);
  first = [one, other];
  assert.notEqual(await hostOf(one), await hostOf(other));
  await untilActive(first);
  await assertEachOnce(first);
  const users = first.map((id) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${qemuPid(id)}/status`, 'utf8'))?.[1]);
  assert.equal(new Set(users).size, 2, 'each has a user of its own');
  for (const id of first) {
    const { stdout } = await run(...(await hostOf(id)).namespace.inside('nft', ['list', 'tables']), nftPath);
    assert.match(
      stdout,
      /^table inet berth_[0-9a-f]{12}\n$/,
      'each network has the wall of its own host, and no other',
    );
    await until(
      'a login',
      () =>
        ssh(id, 'true').then(
          () => true,
          () => false,
        ),
      bootMsMax,
    );
  }
});

test('a host that is cut off keeps its VMs running, is out of reach within 30 s, offers nothing, and reconciles when it is back', async (t) => {
  t.after(() => hostA.namespace.mend());
  const [onA, onB] = (await hostOf(first[0] ?? '')) === hostA ? first : first.toReversed();
  assert.ok(onA && onB);
  const bootId = await ssh(onA, 'cat /proc/sys/kernel/random/boot_id');
  await hostA.namespace.cut();
  await until('it is out of reach', async () => !(await reach(hostA)).reachable);
  const { reachable_changed_at: changedAt, last_seen_at: seenAt } = await reach(hostA);
  assert.ok(Number(changedAt) - Number(seenAt) <= 30_000, `silent from ${seenAt} to ${changedAt}`);
  assert.equal(await offeredHosts(), 1);
  const [third = ''] = await deploy('elsewhere', 1);
  assert.equal(await hostOf(third), hostB);
  assert.deepEqual(hostA.running(), [onA], 'nobody stopped it');
  assert.equal(await ssh(onA, 'cat /proc/sys/kernel/random/boot_id'), bootId);
  // What is ordered meanwhile waits for the host, and takes nothing back.
  assert.equal((await call('DELETE', '/vms/v3', { vmIds: [third] })).status, 200);
  await until('the other host obeys at once', async () => !(await hostB.holds(third)), bootMsMax);

  await hostA.namespace.mend();
  await until('it is in reach', async () => (await reach(hostA)).reachable);
  assert.equal(await offeredHosts(), 2);
  await untilActive(first);
  await assertEachOnce(first);
  assert.equal(await ssh(onA, 'cat /proc/sys/kernel/random/boot_id'), bootId, 'it is the same run');
});

test('an order to a host that is cut off is obeyed when it is back', async (t) => {
  t.after(() => hostA.namespace.mend());
  const [onA = ''] = await onHost(hostA);
  await hostA.namespace.cut();
  assert.equal((await call('DELETE', '/vms/v3', { vmIds: [onA] })).status, 200);
  assert.deepEqual(hostA.running(), [onA]);
  await hostA.namespace.mend();
  await until('it is gone', async () => !(await hostA.holds(onA)), bootMsMax);
  first = first.filter((id) => id !== onA);
  await assertEachOnce(first);
});

test('a server killed in the middle of deployments loses and doubles none, when clients ask the other with the same keys', async () => {
  const names = ['p', 'q', 'r', 's'].map((name) => `killed-${name}`);
  const attempt = (name: string, at: number) =>
    call<{ vmId: string }[]>('POST', '/vms/v3', request(name, 1), { 'idempotency-key': name }, at);
  const attempts = names.map((name) => attempt(name, 0));
  await Promise.race(attempts);
  await fleet.replicas[0]?.kill();
  const before = await Promise.allSettled(attempts);
  replica = 1;
  const answers = await Promise.all(names.map((name) => attempt(name, 1)));
  for (const [index, { status, body }] of answers.entries()) {
    assert.equal(status, 201, JSON.stringify(body));
    const early = before[index];
    if (early?.status === 'fulfilled') assert.deepEqual(body, early.value.body, 'an answer that arrived stands');
  }
  const ids = answers.map(({ body }) => body[0]?.vmId ?? '');
  assert.equal(new Set(ids).size, names.length);
  assert.deepEqual((await list()).map(({ id }) => id).sort(), [...first, ...ids].sort());
  await untilActive(ids);
  await assertEachOnce([...first, ...ids]);
  await until(
    'hosts found the other server',
    async () => (await reach(hostA)).reachable && (await reach(hostB)).reachable,
  );
  assert.equal((await call('DELETE', '/vms/v3', { vmIds: ids })).status, 200);
  await until('they are gone', async () => hostA.running().length + hostB.running().length === first.length, bootMsMax);
});

test('a drained host keeps what runs on it and gets nothing new', async () => {
  const [kept = ''] = await onHost(hostB);
  await fleet.berth('host', 'drain', hostB.name);
  assert.equal(await offeredHosts(), 1);
  const ids = await deploy('after-draining', 2);
  for (const id of ids) assert.equal(await hostOf(id), hostA);
  await untilActive(ids);
  await assertEachOnce([kept, ...ids]);
  assert.equal(await ssh(kept, 'echo still here'), 'still here');
  await call('DELETE', '/vms/v3', { vmIds: [kept, ...ids] });
  await until('all are gone', async () => hostA.running().length + hostB.running().length === 0, bootMsMax);
});

async function onHost(host: FleetHost): Promise<string[]> {
  const there = await Promise.all(first.map(async (id) => ((await hostOf(id)) === host ? [id] : [])));
  return there.flat();
}
