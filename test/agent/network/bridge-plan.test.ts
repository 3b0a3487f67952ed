import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { interfaceNames, ownMaking, planNetworks, sourcesOf } from '../../../src/agent/network/bridge-plan.ts';
import { chosenIpv6Commands } from '../../../src/agent/network/chosen-ipv6.ts';
import { dhcpConfiguration } from '../../../src/agent/network/dhcp.ts';
import { type Guest, macOf } from '../../../src/agent/network/guest.ts';

const names = interfaceNames('0a1b2c3d4e5f');
const range4 = { prefix: 24, gateway: '10.5.0.1', isShared: false };
const range6 = { prefix: 64, gateway: '2001:db8:5::1', isShared: true };
const guest = (digit: number, vlan: number, addresses: Guest['addresses']): Guest => ({
  instanceId: `0x${String(digit).repeat(40)}`,
  userId: 1000 + digit,
  vlan,
  allPortsOpen: false,
  portRules: [],
  addresses,
});
const main = (ip: string, range: Guest['addresses'][number]['range']) => ({ ip, isAdditional: false, range });
const web = guest(1, 7, [
  main('10.5.0.10', range4),
  main('2001:db8:5::10', range6),
  { ip: '10.5.0.20', isAdditional: true, range: range4 },
]);
const lone = guest(2, 16_777_215, [main('203.0.113.9', null)]);

test('names fit the kernel’s 15 characters, differ between agents, and match the packet filter’s patterns', () => {
  const other = interfaceNames('ffffffffffff');
  for (const { instanceId, vlan } of [web, lone]) {
    for (const name of [names.bridgeOf(vlan), names.tapOf(instanceId)]) assert.ok(name.length <= 15, name);
    assert.ok(names.bridgeOf(vlan).startsWith(names.bridges.slice(0, -1)));
    assert.ok(names.tapOf(instanceId).startsWith(names.taps.slice(0, -1)));
    assert.ok(!names.bridgeOf(vlan).startsWith(other.bridges.slice(0, -1)));
  }
});

test('a network has its gateways, each guest a route, and an additional address one by way of the main one', () => {
  const plan = planNetworks(names, [web, lone]);
  const [first, second] = [names.bridgeOf(7), names.bridgeOf(16_777_215)];
  assert.deepEqual(plan.bridges, [
    { name: first, mac: '02:be:72:00:00:07', gateways: ['10.5.0.1/32', '2001:db8:5::1/64'] },
    { name: second, mac: '02:be:72:ff:ff:ff', gateways: ['169.254.1.1/32'] },
  ]);
  assert.deepEqual(plan.taps, [
    { name: names.tapOf(web.instanceId), bridge: first, userId: 1001 },
    { name: names.tapOf(lone.instanceId), bridge: second, userId: 1002 },
  ]);
  assert.deepEqual(plan.routes, [
    { to: '10.5.0.10', bridge: first, via: null },
    { to: '2001:db8:5::10', bridge: first, via: null },
    { to: ownMaking(web), bridge: first, via: null },
    { to: '10.5.0.20', bridge: first, via: '10.5.0.10' },
    { to: '203.0.113.9', bridge: second, via: null },
  ]);
  assert.deepEqual(planNetworks(names, []), { bridges: [], taps: [], routes: [] });
});

test('an IPv6 address that was chosen is set at each boot, and one that comes by itself is not', () => {
  const own = ownMaking(web) ?? '';
  assert.match(own, /^2001:db8:5:0:5054:ff:fe/);
  const [command = []] = chosenIpv6Commands({ instanceId: web.instanceId, network: web });
  assert.match(command.join(' '), /2001:db8:5::10\/64/);
  const byItself = { ...web, addresses: [main('10.5.0.10', range4), main(own, range6)] };
  assert.deepEqual(chosenIpv6Commands({ instanceId: web.instanceId, network: byItself }), []);
  assert.deepEqual(chosenIpv6Commands({ instanceId: lone.instanceId, network: lone }), []);
  assert.deepEqual(sourcesOf(byItself), ['10.5.0.10', own]);
  assert.equal(ownMaking(lone), null);
});

test('dnsmasq takes the configuration, which gives each guest its own address, mask and gateway', async () => {
  const text = dhcpConfiguration(names, [web, lone], ['192.0.2.53']);
  const lines = text.split('\n');
  for (const line of [
    `dhcp-host=${macOf(web)},set:vm0,10.5.0.10`,
    'dhcp-option=tag:vm0,option:netmask,255.255.255.0',
    'dhcp-option=tag:vm0,option:router,10.5.0.1',
    'dhcp-range=2001:db8:5::,ra-only,off-link,64,1h',
    `shared-network=${names.bridgeOf(16_777_215)},203.0.113.9`,
    'dhcp-option=tag:vm1,option:netmask,255.255.255.255',
    'dhcp-option=tag:vm1,option:router,169.254.1.1',
    'dhcp-option=option:dns-server,192.0.2.53',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(!text.includes('10.5.0.20'), 'an additional address is routed, not handed out');
  const directory = await mkdtemp(join(tmpdir(), 'berth-test-dhcp-'));
  try {
    const file = join(directory, 'dnsmasq.conf');
    // It looks whether the bridges are there.
    await writeFile(file, text.replace(/^(shared-network=)[^,]+/gm, '$1lo'));
    const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    const { stderr } = await promisify(execFile)('dnsmasq', ['--test', `--conf-file=${file}`], { env });
    assert.match(stderr, /syntax check OK/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
