// Ranges that addresses in groups' networks come from, IPv4 and IPv6. An IPv4 range is one subnet, whose first address is its
// gateway's; an IPv6 range is a /64, because that is what guests make their own addresses out of.

import { isIP } from 'node:net';
import { formatIpv4, parseIpv4 } from './cidr.ts';
import { BerthError, shown } from './errors.ts';

/** A range, and its first address as a number. */
export interface IpRange {
  family: 4 | 6;
  first: bigint;
  prefix: number;
}

/** Larger IPv4 ranges than this make nothing better. */
const ipv4PrefixMin = 8;
/** Smaller ones have no address left beside those of the subnet, its gateway, and broadcasts. */
const ipv4PrefixMax = 30;
const ipv6Prefix = 64;

const bitsOf = (family: 4 | 6) => (family === 4 ? 32 : 128);

/** An IP address as a number, or null when the text is none. */
export function parseIp(text: string): { family: 4 | 6; value: bigint } | null {
  const family = isIP(text);
  if (family === 4) return { family, value: BigInt(parseIpv4(text) ?? 0) };
  if (family !== 6 || text.includes('%')) return null;
  // URL writes every notation in the one normal form: hexadecimal groups, at most one `::`.
  const [head = '', tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const between = Array<string>(8 - before.length - after.length).fill('0');
  const digits = [...before, ...between, ...after].map((group) => group.padStart(4, '0')).join('');
  return { family, value: BigInt(`0x${digits}`) };
}

/** A number as an IP address in its normal form. */
export function formatIp(family: 4 | 6, value: bigint): string {
  if (family === 4) return formatIpv4(Number(value));
  const groups = value.toString(16).padStart(32, '0').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

/** A range as it is written, such as `10.5.0.0/24`. */
export const formatRange = ({ family, first, prefix }: IpRange) => `${formatIp(family, first)}/${prefix}`;

/**
 * Reads a range; what is set beyond its prefix is passed over, as in `192.168.1.1/24`.
 * @throws BerthError `invalid_value`
 */
export function parseIpRange(text: string, field: string): IpRange {
  const [address = '', prefixText = '', ...rest] = text.split('/');
  const ip = parseIp(address);
  const prefix = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  const wrong = (rule: string) => new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
  if (!ip || rest.length > 0 || Number.isNaN(prefix) || prefix > bitsOf(ip.family)) {
    throw wrong('it must be a range such as "10.5.0.0/24" or "2001:db8:5::/64"');
  }
  if (ip.family === 4 && (prefix < ipv4PrefixMin || prefix > ipv4PrefixMax)) {
    throw wrong(`an IPv4 range is between a /${ipv4PrefixMin} and a /${ipv4PrefixMax}`);
  }
  if (ip.family === 6 && prefix !== ipv6Prefix) throw wrong(`an IPv6 range is a /${ipv6Prefix}`);
  const hostBits = BigInt(bitsOf(ip.family) - prefix);
  return { family: ip.family, first: (ip.value >> hostBits) << hostBits, prefix };
}

/** The address of a range that is its gateway's: the first after the subnet's own. */
export const gatewayOf = ({ family, first }: IpRange) => formatIp(family, first + 1n);

/** How many addresses of a range VMs can have. */
export function capacityOf({ family, prefix }: IpRange): bigint {
  const all = 1n << BigInt(bitsOf(family) - prefix);
  return family === 4 ? all - 3n : all - 2n;
}

/** Whether an address lies in a range. */
export function isInRange({ family, first, prefix }: IpRange, ip: { family: 4 | 6; value: bigint }): boolean {
  const hostBits = BigInt(bitsOf(family) - prefix);
  return ip.family === family && ip.value >> hostBits === first >> hostBits;
}

/** Why no VM can have this address of a range, or null when one can. */
export function whyReserved(range: IpRange, ip: { family: 4 | 6; value: bigint }): string | null {
  const offset = ip.value - range.first;
  if (offset === 0n) return 'is the address of the network itself';
  if (offset === 1n) return 'is the address of the gateway';
  if (range.family === 4 && offset === (1n << BigInt(32 - range.prefix)) - 1n) return 'is the broadcast address';
  if (range.family === 6 && isFromHardware(ip.value)) return 'is kept for what a guest makes of its hardware address';
  return null;
}

/**
 * The last 64 bits of the address that a guest gives itself in an IPv6 range: its card's hardware address with a mark in the
 * middle (modified EUI-64, RFC 4291).
 */
export function hardwareSuffix(mac: string): bigint {
  const [one = 0, two = 0, three = 0, ...rest] = mac.split(':').map((octet) => Number.parseInt(octet, 16));
  const octets = [one ^ 2, two, three, 0xff, 0xfe, ...rest];
  return octets.reduce((value, octet) => value * 256n + BigInt(octet), 0n);
}

/** The address that a guest gives itself in an IPv6 range, without being told one. */
export const addressFromHardware = ({ first }: Pick<IpRange, 'first'>, mac: string): string =>
  formatIp(6, first + hardwareSuffix(mac));

/** Whether an IPv6 address has the form of {@link addressFromHardware}. */
const isFromHardware = (value: bigint) => ((value >> 24n) & 0xffffn) === 0xfffen;
