// What this machine has used so far, as Linux counts it.

import { statfs } from 'node:fs/promises';
import { parseBusySeconds, parseInterfaces, parseMemoryBytes, parseUplinks, readText } from './proc.ts';

/** What a machine has used so far; null is what it does not tell. */
export interface HostCounters {
  /** All processors together. */
  cpuSeconds: number | null;
  /** What of its memory is not to be had now. */
  memoryBytes: number | null;
  /** What is taken now of the file system that instances lie on. */
  diskBytes: number | null;
  /** Over the interfaces that lead everywhere. */
  networkReceiveBytes: number | null;
  networkSendBytes: number | null;
}

/** Counts. @param directory where instances lie */
export async function countHost(directory: string): Promise<HostCounters> {
  const { blocks, bfree, bsize } = await statfs(directory);
  return {
    cpuSeconds: parseBusySeconds(readText('/proc/stat') ?? ''),
    memoryBytes: parseMemoryBytes(readText('/proc/meminfo') ?? ''),
    diskBytes: (blocks - bfree) * bsize,
    ...uplinkCounters(),
  };
}

function uplinkCounters(): Pick<HostCounters, 'networkReceiveBytes' | 'networkSendBytes'> {
  const uplinks = parseUplinks(readText('/proc/net/route') ?? '', readText('/proc/net/ipv6_route') ?? '');
  const all = parseInterfaces(readText('/proc/net/dev') ?? '');
  const traffic = uplinks.flatMap((name) => all.get(name) ?? []);
  if (traffic.length === 0) return { networkReceiveBytes: null, networkSendBytes: null };
  return {
    networkReceiveBytes: traffic.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    networkSendBytes: traffic.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  };
}
