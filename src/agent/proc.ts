// What Linux counts, read out of the texts that it tells it in. Each is pure, to be tested on what kernels really write.

import { readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, on every architecture. */
const ticksPerSecond = 100;

/** What a process has used of processors, and which of all that ever had its number it is; undefined for one that has ended. */
export function parseProcessStat(text: string): { cpuSeconds: number; startTicks: string } | undefined {
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, startTicks };
}

/** What a process holds in memory, out of its `status`; null where it doesn't say. */
export function parseResidentBytes(text: string): number | null {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

/** What an interface has received and sent. */
export interface Traffic {
  receivedBytes: number;
  sentBytes: number;
}

/** What each interface has received and sent, out of `/proc/net/dev` of whichever network. */
export function parseInterfaces(text: string): Map<string, Traffic> {
  const found = new Map<string, Traffic>();
  for (const [, name = '', numbers = ''] of text.matchAll(/^\s*([^\s:|]+):\s*(\d[\d ]*)$/gm)) {
    const fields = numbers.trim().split(/\s+/).map(Number);
    found.set(name, { receivedBytes: fields[0] ?? 0, sentBytes: fields[8] ?? 0 });
  }
  return found;
}

/** For how long the machine's processors were busy, all together, out of `/proc/stat`; null where it doesn't say. */
export function parseBusySeconds(text: string): number | null {
  const numbers = /^cpu +([\d ]+)$/m.exec(text)?.[1];
  if (numbers === undefined) return null;
  // Guests' time, the last two, is in the first two already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = numbers.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond;
}

/** What of the machine's memory is not to be had any more, out of `/proc/meminfo`; null where it doesn't say. */
export function parseMemoryBytes(text: string): number | null {
  const [total, available] = ['MemTotal', 'MemAvailable'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN),
  );
  const bytes = ((total ?? Number.NaN) - (available ?? Number.NaN)) * 1024;
  return Number.isNaN(bytes) ? null : Math.max(0, bytes);
}

/** The interfaces that lead everywhere, out of `/proc/net/route` and `/proc/net/ipv6_route`. */
export function parseUplinks(route: string, route6: string): string[] {
  const names4 = [...route.matchAll(/^(\S+)\t0{8}\t\S+\t\S+\t\S+\t\S+\t\S+\t0{8}\t/gm)].map(([, name]) => name ?? '');
  const names6 = [...route6.matchAll(/^0{32} 00 .* (\S+)$/gm)].map(([, name]) => name ?? '');
  // What leads nowhere is noted as a route of the machine to itself.
  return [...new Set([...names4, ...names6])].filter((name) => name !== 'lo');
}

/** The number at the beginning of a text; null where there is none. */
export function parseNumber(text: string | null): number | null {
  const number = /^\s*(\d+)/.exec(text ?? '')?.[1];
  return number === undefined ? null : Number(number);
}

/** A number that a text has behind a word, on a line of its own; null where it has none. */
export function parseNamed(text: string | null, name: string): number | null {
  return parseNumber(new RegExp(`^${name} (\\d+)`, 'm').exec(text ?? '')?.[1] ?? null);
}

/**
 * A file of the kernel's; null where there is none. They are short and in memory: reading one at once costs a tenth of the processor
 * time that waiting for it does.
 */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
