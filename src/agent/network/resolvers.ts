// Which resolvers the host asks; its guests may ask them, too.

import { readFile } from 'node:fs/promises';
import { parseIpv4 } from '../../model/cidr.ts';

/** The host's IPv4 resolvers. @param file such as `/etc/resolv.conf` */
export async function hostResolvers(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const addresses = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address);
  return [...new Set(addresses)].filter((address) => parseIpv4(address) !== null);
}

/** Where systemd-resolved is the host's resolver, these are those that it asks itself. */
const resolverFiles = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/** The IPv4 resolvers that guests with a network of their own can ask: none of these is on the host's loopback. */
export async function guestResolvers(): Promise<string[]> {
  const all = (await Promise.all(resolverFiles.map(hostResolvers))).flat();
  return [...new Set(all)].filter((address) => !address.startsWith('127.'));
}
