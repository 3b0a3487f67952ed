// The packet filter of networks as text for nft: pure. Two tables of one name. That of the bridges lets a guest send nothing
// but from its own card and addresses, and be nobody's router or DHCP server. The other one holds what the host routes: who
// reaches which guest, and that guests reach nothing of the host's.

import { parseIp } from '../../model/ip-range.ts';
import { isPublicAddress } from '../../model/public-address.ts';
import { vmUserIds } from '../vm/user-id.ts';
import { type InterfaceNames, linkLocalOf, type NetworkPlan, sourcesOf } from './bridge-plan.ts';
import { type Guest, isIpv6, macOf } from './guest.ts';

/** What the text is made of. */
export interface WallsInput {
  table: string;
  names: InterfaceNames;
  guests: readonly Guest[];
  plan: NetworkPlan;
  /** IPv4 addresses that guests ask for names. */
  resolvers: readonly string[];
  /** The interfaces that lead out of this host. */
  uplinks: readonly string[];
  /** Whether guests with addresses that are not public go out under the host's. */
  translates: boolean;
}

/** One command file that replaces both tables at once. */
export function wallsText(input: WallsInput): string {
  const { table } = input;
  const tables = [
    { family: 'bridge', body: bridgeTable(input) },
    { family: 'inet', body: routedTable(input) },
  ];
  return tables
    .flatMap(({ family, body }) => [
      // Made first, so that there is one to take away.
      `table ${family} ${table} {}`,
      `delete table ${family} ${table}`,
      `table ${family} ${table} {`,
      ...body,
      '}',
      '',
    ])
    .join('\n');
}

function bridgeTable({ names, guests }: WallsInput): string[] {
  const cards = guests.map((guest) => ({ guest, tap: names.tapOf(guest.instanceId) }));
  const pairs = (values: (guest: Guest) => string[]) =>
    cards.flatMap(({ guest, tap }) => values(guest).map((value) => `"${tap}" . ${value}`));
  const ofFamily = (family: 4 | 6) => (guest: Guest) => sourcesOf(guest).filter((ip) => isIpv6(ip) === (family === 6));
  const sources6 = (guest: Guest) => [...ofFamily(6)(guest), linkLocalOf(guest)];
  return [
    ...set(
      'cards',
      'type ifname . ether_addr',
      pairs((guest) => [macOf(guest)]),
    ),
    ...set('sources4', 'type ifname . ipv4_addr', pairs(ofFamily(4))),
    ...set('sources6', 'type ifname . ipv6_addr', pairs(sources6)),
    // The target of an advertisement, which nft of Debian 12 has no name for.
    ...set(
      'targets6',
      'typeof iifname . @th,64,128',
      pairs((guest) => sources6(guest).map(hexadecimal)),
    ),
    ...chain('prerouting', 'type filter hook prerouting priority -300; policy accept;', [
      `iifname "${names.taps}" jump guest`,
    ]),
    ...chain('guest', '', [
      'iifname . ether saddr != @cards drop',
      'ether type vmap { arp : jump guest_arp, ip : jump guest_ipv4, ip6 : jump guest_ipv6 }',
      'drop',
    ]),
    ...chain('guest_arp', '', [
      'arp htype 1 arp ptype ip iifname . arp saddr ether @cards iifname . arp saddr ip @sources4 accept',
      // It asks whether an address is in use before it takes it.
      'arp htype 1 arp ptype ip iifname . arp saddr ether @cards arp saddr ip 0.0.0.0 accept',
      'drop',
    ]),
    ...chain('guest_ipv4', '', [
      'udp sport 67 drop',
      'ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept',
      'iifname . ip saddr @sources4 accept',
      'drop',
    ]),
    ...chain('guest_ipv6', '', [
      'icmpv6 type { nd-router-advert, nd-redirect } drop',
      'udp sport 547 drop',
      'ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld2-listener-report } accept',
      'iifname . ip6 saddr != @sources6 drop',
      'icmpv6 type nd-neighbor-advert iifname . @th,64,128 != @targets6 drop',
      'accept',
    ]),
  ];
}

function routedTable({ names, guests, plan, resolvers, uplinks, translates }: WallsInput): string[] {
  const bridge = (side: 'iifname' | 'oifname') => `${side} "${names.bridges}"`;
  const all = guests.flatMap(sourcesOf);
  const open = guests.flatMap((guest) => sourcesOf(guest).flatMap((ip) => openPorts(ip, guest)));
  const allOpen = guests.filter(({ allPortsOpen }) => allPortsOpen).flatMap(sourcesOf);
  const gateways = plan.bridges.flatMap((one) => one.gateways.map((gateway) => gateway.split('/')[0] ?? ''));
  const neighbours = 'nd-neighbor-solicit, nd-neighbor-advert';
  return [
    ...set(
      'networks',
      'type ifname . ifname',
      plan.bridges.map(({ name }) => `"${name}" . "${name}"`),
    ),
    ...addressSets('public', all.filter(isPublicAddress)),
    ...addressSets(
      'private',
      all.filter((ip) => !isPublicAddress(ip)),
    ),
    ...addressSets('all_open', allOpen),
    ...addressSets('gateways', gateways),
    ...set(
      'open4',
      'type ipv4_addr . inet_proto . inet_service',
      open.filter((element) => !isIpv6(element)),
    ),
    ...set('open6', 'type ipv6_addr . inet_proto . inet_service', open.filter(isIpv6)),
    ...chain('forward', 'type filter hook forward priority -5; policy accept;', [
      // Within a network, by way of the host or, where bridged frames pass here, past it.
      'iifname . oifname @networks accept',
      `${bridge('iifname')} jump leaving`,
      `${bridge('oifname')} jump arriving`,
    ]),
    ...chain('leaving', '', [
      `${bridge('oifname')} goto between`,
      'ct state established,related accept',
      // Metadata services of clouds, which hand out the host's own credentials, live on link-local addresses.
      'ip daddr { 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4 } drop',
      'ip6 daddr { fe80::/10, ff00::/8 } drop',
      ...uplinks.map((name) => `oifname "${name}" accept`),
      // On other bridges are containers, and VMs of somebody else's: only what they publish for everybody is reached.
      'meta oifkind "bridge" ct status dnat accept',
      'meta oifkind "bridge" drop',
      'accept',
    ]),
    // Another network is reached as far as the whole internet reaches it.
    ...chain('between', '', [
      'ct state established,related accept',
      'ip daddr @public4 goto arriving',
      'ip6 daddr @public6 goto arriving',
      'drop',
    ]),
    ...chain('arriving', '', [
      'ct state established,related accept',
      'icmp type echo-request accept',
      'icmpv6 type echo-request accept',
      'ip daddr @all_open4 accept',
      'ip6 daddr @all_open6 accept',
      'ip daddr . meta l4proto . th dport @open4 accept',
      'ip6 daddr . meta l4proto . th dport @open6 accept',
      'drop',
    ]),
    ...chain('input', 'type filter hook input priority -5; policy accept;', [`${bridge('iifname')} jump host`]),
    ...chain('host', '', [
      'ct state established,related accept',
      'udp sport 68 udp dport 67 accept',
      `icmpv6 type { ${neighbours}, nd-router-solicit, mld2-listener-report } accept`,
      'ip daddr @gateways4 icmp type echo-request accept',
      'ip6 daddr @gateways6 icmpv6 type echo-request accept',
      ...resolvers.map((address) => `ip daddr ${address} meta l4proto { tcp, udp } th dport 53 accept`),
      'drop',
    ]),
    ...chain('output', 'type filter hook output priority -5; policy accept;', [`${bridge('oifname')} jump from_host`]),
    ...chain('from_host', '', [
      'udp sport 67 udp dport 68 accept',
      `icmpv6 type { ${neighbours}, nd-router-advert, mld2-listener-report } accept`,
      // A VM that its QEMU connects until its next start is none of the network's.
      `meta skuid ${vmUserIds.join('-')} goto between`,
      'goto arriving',
    ]),
    ...(translates
      ? chain('postrouting', 'type nat hook postrouting priority 100; policy accept;', [
          `${bridge('oifname')} return`,
          'ip saddr @private4 masquerade',
          'ip6 saddr @private6 masquerade',
        ])
      : []),
  ];
}

const openPorts = (ip: string, { portRules }: Guest) =>
  portRules.map(({ protocol, port }) => `${ip} . ${protocol} . ${port}`);

function set(name: string, type: string, elements: readonly string[]): string[] {
  const listed = elements.length > 0 ? [`elements = { ${elements.join(', ')} }`] : [];
  return [`set ${name} {`, type, ...listed, '}'];
}

const addressSets = (name: string, ips: readonly string[]) => [
  ...set(`${name}4`, 'type ipv4_addr', [...new Set(ips.filter((ip) => !isIpv6(ip)))]),
  ...set(`${name}6`, 'type ipv6_addr', [...new Set(ips.filter(isIpv6))]),
];

const chain = (name: string, hook: string, rules: readonly string[]) => [
  `chain ${name} {`,
  ...(hook === '' ? [] : [hook]),
  ...rules,
  '}',
];

/** An IPv6 address as one number, as nft takes bare bytes of a packet. */
function hexadecimal(ip: string): string {
  const value = parseIp(ip)?.value ?? 0n;
  return `0x${value.toString(16).padStart(32, '0')}`;
}
