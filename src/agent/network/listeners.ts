// Who on this host already listens on a port, from the kernel's own tables: it tells a program that took the very address
// (a conflict) from one that merely listens on all addresses, as most do.

import { readFile } from 'node:fs/promises';
import { formatIpv4 } from '../../model/cidr.ts';

/** `address`: on that very address. `all`: on every address of the host. `nobody`: by no one. */
export type PortHolder = 'address' | 'all' | 'nobody';

const listening = '0A';

/** Who holds a port of an IPv4 address in this network namespace. */
export async function portHolder(protocol: 'tcp' | 'udp', address: string, port: number): Promise<PortHolder> {
  let holder: PortHolder = 'nobody';
  for (const table of [protocol, `${protocol}6`]) {
    const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '');
    for (const local of localsOf(text, protocol)) {
      if (local.port !== port) continue;
      if (local.address === address) return 'address';
      if (local.address === null) holder = 'all';
    }
  }
  return holder;
}

/** The local ends of a table like /proc/net/tcp6 that take newcomers; `address` is null for "all addresses". */
export function localsOf(table: string, protocol: 'tcp' | 'udp'): { address: string | null; port: number }[] {
  const locals: { address: string | null; port: number }[] = [];
  for (const line of table.split('\n').slice(1)) {
    const match = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line);
    const [, address = '', port = '', state] = match ?? [];
    if (match === null || (protocol === 'tcp' && state !== listening)) continue;
    if (/^0+$/.test(address)) locals.push({ address: null, port: Number.parseInt(port, 16) });
    else if (address.length === 8 || address.startsWith('0000000000000000FFFF0000')) {
      const number = Buffer.from(address.slice(-8), 'hex').readUInt32LE(0); // the kernel prints it in host order
      locals.push({ address: formatIpv4(number), port: Number.parseInt(port, 16) });
    }
  }
  return locals;
}
