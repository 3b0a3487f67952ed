// Consoles: a VM's screen and its serial port, at an address of the VM's own that is not in its guest's hands; and commands in
// containers, which are connected in the same way.

import { type Ipv4Range, parseCidr } from './cidr.ts';
import { BerthError, shown } from './errors.ts';

/** What can be looked at and typed into: a VM's serial port, its screen with keyboard and mouse, and a command in a container. */
export const consoleChannels = ['serial', 'vnc', 'exec'] as const;
/** One of {@link consoleChannels}. */
export type ConsoleChannel = (typeof consoleChannels)[number];
/** Those of a VM. */
export type VmChannel = Exclude<ConsoleChannel, 'exec'>;

/** How a channel is called where people read of it. */
export const consoleNames: Record<ConsoleChannel, string> = {
  serial: 'serial console',
  vnc: 'graphical console',
  exec: 'command line',
};

/** Consoles that an instance may have open at once; each is a connection through three processes. */
export const consolesPerVmMax = 8;

/** Twice as many VMs as a host of the largest kind holds, a hundred times over. */
const poolPrefixMin = 12;
/** A smaller range has no address beside its network's and its broadcast address. */
const poolPrefixMax = 30;

/**
 * Checks a range that VMs' management addresses are given out of.
 * @throws BerthError `invalid_value`
 */
export function checkConsolePool(cidr: string, field: string): Ipv4Range {
  const range = parseCidr(cidr);
  if (range && range.prefix >= poolPrefixMin && range.prefix <= poolPrefixMax) return range;
  const sizes = `a /${poolPrefixMin} to a /${poolPrefixMax}`;
  const rule = `it must be an IPv4 range that begins at its first address, ${sizes}, such as "127.45.0.0/16"`;
  throw new BerthError('invalid_value', `${field} is ${shown(cidr)}; ${rule}.`, field);
}
