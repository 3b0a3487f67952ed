// Networks between VMs, for real: guests on QEMU on a host in a network namespace of its own. Two are of one group, whose
// network has ranges of its own; one is of another group and has a public address out of its host's pool.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { interfaceNames, ownMaking } from '../../../src/agent/network/bridge-plan.ts';
import type { NetworkSpec, VmSpec } from '../../../src/agent/vm/driver.ts';
import { vmUserIds } from '../../../src/agent/vm/user-id.ts';
import { macAddressOf } from '../../../src/model/mac-address.ts';
import { bootTimeoutMs, type Scratch, scratch, specOf, until, wallsName } from '../vm/support.ts';
import { execute, hostAddress, innerAddress, metadataAddress, outsideAddress, World } from './bridge-world.ts';

const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: 'tcp' as const }));
const range4 = { prefix: 24, gateway: '10.5.0.1', isShared: false };
const range6 = { prefix: 64, gateway: '2001:db8:5::1', isShared: false };
const shared6 = { prefix: 64, gateway: '2001:db8:9::1', isShared: true };
const main = (ip: string, range: NetworkSpec['addresses'][number]['range']) => ({ ip, isAdditional: false, range });
const additional = { ip: '10.5.0.20', isAdditional: true, range: range4 };
/** Stands for the IPv6 address that a guest makes itself. */
const own = '::';
/** Nobody's in any network. */
const foreign = { ipv4: '10.5.0.99', ipv6: '2001:db8:5::99' };

let ground: Scratch;
let world: World;
/** Of the group with ranges: one whose IPv6 address is the one that it makes itself, one that was given another. */
let web: VmSpec;
let database: VmSpec;
/** Of another group, with all ports open. */
let stranger: VmSpec;

/** A VM with these addresses beside the IPv6 address that it makes itself. */
function guest(number: number, vlan: number, addresses: NetworkSpec['addresses'], allPortsOpen = false): VmSpec {
  const address = addresses[0]?.ip ?? '';
  const spec = specOf(number, address, ground.publicKey, { portRules: tcp(22, 80) });
  const held = addresses.map((one) =>
    one.ip === own ? { ...one, ip: ownMaking({ instanceId: spec.instanceId, addresses }) ?? '' } : one,
  );
  return { ...spec, network: { vlan, allPortsOpen, addresses: held } };
}

const ipv6Of = ({ network }: VmSpec) => network?.addresses[1]?.ip ?? '';

/** What a command prints in a guest, as root. */
function inGuest({ address }: VmSpec, command: string): Promise<string> {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=10'];
  const words = ['-i', ground.keyPath, '-o', 'BatchMode=yes', ...options.flatMap((option) => ['-o', option])];
  return world.in(world.host, 'ssh', ...words, `root@${address}`, command);
}

/** What a guest gets when it connects. */
const reach = (from: VmSpec, address: string, port: number) =>
  inGuest(from, `echo | nc -w 4 ${address} ${port} 2>/dev/null || true`);
const pings = async (from: VmSpec, words: string) =>
  (await inGuest(from, `ping -c 2 -W 3 ${words} >/dev/null 2>&1 && echo yes || echo no`)) === 'yes';

before(async () => {
  ground = await scratch('bridge');
  world = new World(ground.directory);
  await world.open(['10.5.0.0/24', '11.0.0.0/24', '2001:db8:5::/64', '2001:db8:9::/64']);
  await world.startAgent();
  web = guest(1, 101, [main('10.5.0.10', range4), main(own, range6)]);
  database = guest(2, 101, [main('10.5.0.11', range4), main('2001:db8:5::11', range6)]);
  stranger = guest(3, 102, [main('11.0.0.10', null), main(own, shared6)], true);
  // One after the other: a guest whose first second takes too long, as beside others on a busy machine, gives up.
  for (const vm of [web, database, stranger]) {
    await world.order({ run: vm });
    await until(`a login at ${vm.address}`, () => inGuest(vm, 'echo in'), bootTimeoutMs);
  }
  const serve = (port: number) => `(while true; do echo served $(hostname) | nc -l -p ${port}; done) >/dev/null 2>&1 &`;
  await Promise.all([web, database, stranger].map((vm) => inGuest(vm, `${serve(80)} ${serve(81)}`)));
  await world.serve(world.host, 'host', 7000);
  await world.serve(world.outside, 'outside', 7000);
  await world.serve(world.inner, 'inner', 7000);
});
after(async () => {
  for (const { instanceId } of [web, database, stranger].filter(Boolean)) {
    await world.order({ erase: instanceId }).catch(() => {});
  }
  await world?.close();
  await ground?.clean();
});

test('guests of one group reach each other, by IPv4 and by IPv6, at any port', async () => {
  assert.ok(await pings(web, database.address));
  assert.ok(await pings(database, web.address));
  for (const [from, to] of [
    [web, database],
    [database, web],
  ] as const) {
    await until(`IPv6 from ${from.address}`, () => pings(from, `-6 ${ipv6Of(to)}`), 60_000);
  }
  assert.equal(await reach(web, database.address, 81), `served ${database.hostname}`);
  assert.equal(await reach(web, ipv6Of(database), 81), `served ${database.hostname}`);
});

test("a guest reaches nothing of another group's network", async () => {
  assert.equal(await pings(stranger, web.address), false);
  assert.equal(await pings(stranger, `-6 ${ipv6Of(web)}`), false);
  assert.equal(await reach(stranger, web.address, 80), '');
  assert.equal(await reach(stranger, database.address, 22), '');
});

test('a VM that its QEMU alone connects, as all were before, reaches no more of a network than another network does', async () => {
  assert.equal(await world.connect(world.host, web.address, 80), `served ${web.hostname}`);
  const asQemu = (address: string, port: number) => {
    const shell = ['timeout', '4', 'bash', '-c', `head -n 1 </dev/tcp/${address}/${port}`];
    const user = [`--reuid=${vmUserIds[0] + 1}`, '--regid=65534', '--clear-groups'];
    return world.in(world.host, 'setpriv', ...user, ...shell).catch(() => '');
  };
  assert.equal(await asQemu(web.address, 80), '');
  assert.equal(await asQemu(stranger.address, 81), `served ${stranger.hostname}`);
});

test('a public address is reached from another network as from anywhere', async () => {
  assert.ok(await pings(web, stranger.address));
  assert.equal(await reach(web, stranger.address, 81), `served ${stranger.hostname}`);
});

test('from outside, open ports are reached, and closed ones are not', async () => {
  assert.equal(await world.connect(world.outside, web.address, 80), `served ${web.hostname}`);
  assert.equal(await world.connect(world.outside, web.address, 81), '');
  assert.equal(await world.connect(world.outside, ipv6Of(web), 80), `served ${web.hostname}`);
  assert.equal(await world.connect(world.outside, ipv6Of(web), 81), '');
  assert.equal(await world.connect(world.outside, stranger.address, 81), `served ${stranger.hostname}`);
  assert.equal(await world.connect(world.outside, ipv6Of(stranger), 81), `served ${stranger.hostname}`);

  await world.order({ run: { ...web, portRules: tcp(22, 81) } });
  assert.equal(await world.connect(world.outside, web.address, 80), '');
  assert.equal(await world.connect(world.outside, web.address, 81), `served ${web.hostname}`);
  await world.order({ run: web });
});

test('a private address goes out under the host’s, a public one as itself', async () => {
  assert.match(await reach(web, outsideAddress, 7000), new RegExp(`^outside ::ffff:${hostAddress}$`));
  assert.match(await reach(stranger, outsideAddress, 7000), new RegExp(`^outside ::ffff:${stranger.address}$`));
});

test('a guest reaches no service of the host’s by any of its addresses, no container, and no cloud’s metadata', async () => {
  assert.equal(await world.connect(world.outside, hostAddress, 7000).then((said) => said.split(' ')[0]), 'host');
  for (const address of ['10.5.0.1', '169.254.1.1', hostAddress, range6.gateway]) {
    assert.equal(await reach(web, address, 7000), '', `${address} answered`);
  }
  const router = await inGuest(web, "ip -6 route | sed -n 's/^default via \\([^ ]*\\) dev \\([^ ]*\\).*/\\1%\\2/p'");
  assert.match(router, /^fe80::/);
  assert.equal(await reach(web, router, 7000), '');
  assert.equal(await reach(web, metadataAddress, 7000), '');
  assert.match(await world.connect(world.host, innerAddress, 7000), /^inner /);
  assert.equal(await reach(web, innerAddress, 7000), '');
  assert.equal(await reach(stranger, metadataAddress, 7000), '');
});

/** What a guest tries under another name: it has the address for the moment, and asks its neighbour from it. */
const asAnother = {
  ipv4: `ip addr add ${foreign.ipv4}/24 dev eth0; ping -c 2 -W 2 -I ${foreign.ipv4} 10.5.0.11 && echo passed
    ip addr del ${foreign.ipv4}/24 dev eth0`,
  ipv6: `echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad; ip -6 addr add ${foreign.ipv6}/64 dev eth0; ping -6 -c 2 -W 2 -I ${foreign.ipv6} 2001:db8:5::11 && echo passed
    ip -6 addr del ${foreign.ipv6}/64 dev eth0`,
};
/** Another card; the connection over which this is said is lost meanwhile. */
const asAnotherCard = (mac: string) => `(ip link set eth0 address 52:54:00:99:99:99
  ping -c 2 -W 2 10.5.0.11 && echo passed; ip link set eth0 address ${mac}; echo done) >/tmp/card 2>&1 </dev/null & sleep 0.1`;

/** What of these passed. */
async function spoofed(): Promise<string[]> {
  const passed: string[] = [];
  for (const [name, command] of Object.entries(asAnother)) {
    if (/passed/.test(await inGuest(web, `${command} 2>&1`))) passed.push(name);
  }
  await inGuest(web, asAnotherCard(macAddressOf(web.instanceId)));
  const said = await until('the card', async () => {
    // Where it passed, everybody remembers the other card for a while.
    await world.in(world.host, 'ip', 'neigh', 'flush', 'all');
    const text = await inGuest(web, 'cat /tmp/card');
    return /done/.test(text) ? text : '';
  });
  if (/passed/.test(said)) passed.push('card');
  return passed;
}

test('what a guest sends under another address or card goes nowhere; it is the wall that holds it', async () => {
  assert.deepEqual(await spoofed(), []);
  const table = `${await wallsName(ground.directory)}_net`;
  await world.in(world.host, 'nft', 'delete', 'table', 'bridge', table);
  assert.deepEqual(await spoofed(), ['ipv4', 'ipv6', 'card']);
  await world.order('observe');
  assert.deepEqual(await spoofed(), [], 'it is put back');
});

test('a packet filter that somebody flushed is put back whole', async () => {
  await world.in(world.host, 'nft', 'flush', 'ruleset');
  assert.equal(await reach(stranger, web.address, 81), `served ${web.hostname}`, 'the wall is what holds');
  await world.order('observe');
  assert.equal(await reach(stranger, web.address, 80), '');
  assert.equal(await world.connect(world.outside, web.address, 81), '');
  assert.equal(await world.connect(world.outside, web.address, 80), `served ${web.hostname}`);
});

test('an additional address leads to the main one while the guest runs, and is the guest’s to send from', async () => {
  const withIt = ({ network, ...rest }: VmSpec): VmSpec => {
    const before = network ?? assert.fail();
    return { ...rest, network: { ...before, addresses: [...before.addresses, additional] } };
  };
  await world.order({ run: withIt(web) });
  await inGuest(web, `ip addr add ${additional.ip}/32 dev lo`);
  assert.equal(await world.connect(world.outside, additional.ip, 80), `served ${web.hostname}`);
  assert.equal(await world.connect(world.outside, additional.ip, 81), '');
  assert.ok(await pings(web, `-I ${additional.ip} ${database.address}`));
  // Given to another guest it is that one's, also while the first one's host was not told yet.
  await world.order({ run: withIt(database) });
  await inGuest(database, `ip addr add ${additional.ip}/32 dev lo`);
  assert.equal(await world.connect(world.outside, additional.ip, 80), `served ${database.hostname}`);
  await inGuest(database, `ip addr del ${additional.ip}/32 dev lo`);
  await world.order({ run: database });
  await world.order({ run: web });
  assert.equal(await world.connect(world.outside, additional.ip, 80), '');
});

test('everything goes on while no agent runs, and the next one takes it over', async () => {
  await world.killAgent();
  assert.ok(await pings(web, database.address));
  const lease = await inGuest(web, 'udhcpc -i eth0 -n -q -f -t 5 -T 2 -s /bin/true 2>&1');
  assert.match(lease, /lease of 10\.5\.0\.10 obtained/);
  await world.startAgent();
  await world.order({ run: { ...web, portRules: tcp(22, 81) } });
  assert.equal(await world.connect(world.outside, web.address, 81), `served ${web.hostname}`);
  await world.order({ run: web });
});

test('a guest that moves to another network leaves its neighbours behind', async () => {
  const network = database.network ?? assert.fail();
  await world.order({ run: { ...database, network: { ...network, vlan: 103 } } });
  assert.equal(await pings(web, database.address), false);
  await world.order({ run: database });
  await until('the way back', () => pings(web, database.address), 30_000);
});

test('with the last guest the host is as it was before', async () => {
  for (const { instanceId } of [web, database, stranger]) await world.order({ erase: instanceId });
  const name = await wallsName(ground.directory);
  const names = interfaceNames(name.slice('berth_'.length));
  const links = await world.in(world.host, 'ip', '-br', 'link');
  assert.doesNotMatch(links, new RegExp(`${names.bridges.slice(0, -1)}|${names.taps.slice(0, -1)}`));
  assert.equal(await world.in(world.host, 'nft', 'list', 'ruleset'), '');
  assert.deepEqual(await readdir(join(ground.directory, 'network')), []);
  assert.doesNotMatch(await execute('ps', '-e', '-o', 'args'), new RegExp(`dnsmasq.*${ground.directory}`));
});
