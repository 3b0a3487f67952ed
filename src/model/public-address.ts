// Which addresses a customer's URL may lead to. An image is fetched from inside the operator's network, so whatever is not
// plainly on the public internet is refused, unless the operator has named that host and port. The server refuses literal
// addresses by this table before anything is made; the agent holds every connection against it.

import { BlockList, isIP } from 'node:net';

/** The special-purpose IPv4 blocks of IANA's registry that are not reachable from everywhere. */
const closedIpv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Inside 2000::/3, the only block that is handed out as global unicast: what is set apart again. */
const closedIpv6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
];

const closed = new BlockList();
for (const [network, prefix] of closedIpv4) closed.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of closedIpv6) closed.addSubnet(network, prefix, 'ipv6');

const globalIpv6 = new BlockList();
globalIpv6.addSubnet('2000::', 3, 'ipv6');

/** IPv6 blocks whose addresses stand for an IPv4 one, and the 16-bit group where that one begins. */
const carriers: readonly { block: BlockList; group: number }[] = (
  [
    ['::ffff:0:0', 96, 6],
    ['64:ff9b::', 96, 6],
    ['2002::', 16, 1],
  ] as const
).map(([network, prefix, group]) => {
  const block = new BlockList();
  block.addSubnet(network, prefix, 'ipv6');
  return { block, group };
});

/** The eight groups of an IPv6 address in any of its notations. */
function groupsOf(address: string): number[] {
  // URL writes every notation in the one normal form: hexadecimal groups, at most one `::`.
  const normal = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::');
  const read = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return read(head);
  const before = read(head);
  const after = read(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** Whether an IP address, in any notation that `net.isIP` takes, is one that the whole internet can reach. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !closed.check(address, 'ipv4');
  // A zone (`%eth0`) belongs to link-local addresses only.
  if (family !== 6 || address.includes('%')) return false;
  for (const { block, group } of carriers) {
    if (!block.check(address, 'ipv6')) continue;
    const groups = groupsOf(address);
    const [high = 0, low = 0] = [groups[group], groups[group + 1]];
    return isPublicAddress([high >> 8, high & 255, low >> 8, low & 255].join('.'));
  }
  return globalIpv6.check(address, 'ipv6') && !closed.check(address, 'ipv6');
}

/** `HOST:PORT` of a URL with the port always written out. */
export function endpointOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

const allowedHostPattern = /^(\[[^\]]*\]|[^:/?#@\\\s[\]]+)(?::(\d{1,5}))?$/;

/**
 * Reads an entry of the operator's list, `HOST:PORT`, or `HOST` for the ports of http and https; HOST is a name or an IP (IPv6 in
 * brackets).
 * @returns each `HOST:PORT` that it allows
 * @throws Error that says what is wrong with it
 */
export function parseAllowedHost(text: string): string[] {
  const [, host, port] = allowedHostPattern.exec(text) ?? [];
  const urls = port === undefined ? [`http://${host}/`, `https://${host}/`] : [`http://${host}:${port}/`];
  return urls.map((one) => {
    const url = host === undefined ? null : URL.parse(one);
    if (url) return endpointOf(url);
    const rule = 'write HOST:PORT, such as mirror.example:8080, or HOST for the ports 80 and 443';
    throw new Error(`${JSON.stringify(text)} can't be an allowed host; ${rule}.`);
  });
}
