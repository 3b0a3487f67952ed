// What containers have used so far, as the kernel counts it for their control groups, of version 1 or 2: some files each. The Engine
// tells the same, but takes about a hundred times as much processor time to do so.

import { join } from 'node:path';
import type { Counters } from '../driver.ts';
import { parseInterfaces, parseNamed, parseNumber, readText } from '../proc.ts';

/** A container that runs. */
export interface Running {
  instanceId: string;
  /** The Engine's id of it. */
  id: string;
  /** Its first process. */
  pid: number;
  startedAt: string;
}

type GroupCounters = Omit<Counters, 'instanceId' | 'run' | 'networkReceiveBytes' | 'networkSendBytes'>;

const groupsDirectory = '/sys/fs/cgroup';
const nanosecondsPerSecond = 1e9;
const microsecondsPerSecond = 1e6;

/**
 * Counts. Of a container that has ended since it was seen, or whose processes are not on this machine, nothing is told.
 * @param root where control groups are mounted
 */
export function countContainers(running: readonly Running[], root = groupsDirectory): Counters[] {
  return running.flatMap(({ instanceId, id, pid, startedAt }) => {
    const groups = readText(`/proc/${pid}/cgroup`);
    // Process ids are given out again; a group has the container's own id in its name.
    if (!groups?.includes(id)) return [];
    const network = countNetwork(readText(`/proc/${pid}/net/dev`));
    return [{ instanceId, run: startedAt, ...countGroup(groups, root), ...network }];
  });
}

/** What a process's control groups have used. @param groups its `/proc/…/cgroup` */
export function countGroup(groups: string, root: string): GroupCounters {
  const paths = new Map<string, string>();
  for (const [, controllers = '', path = ''] of groups.matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    for (const controller of controllers.split(',')) paths.set(controller, path);
  }
  // Where both versions are mounted, the first has the controllers.
  const file = (controller: string, name: string) => {
    const path = paths.get(controller);
    return path === undefined ? null : readText(join(root, controller, path, name));
  };
  return paths.has('cpuacct') ? versionOne(file) : versionTwo((name) => file('', name));
}

function versionOne(file: (controller: string, name: string) => string | null): GroupCounters {
  const nanoseconds = parseNumber(file('cpuacct', 'cpuacct.usage'));
  const memory = parseNumber(file('memory', 'memory.usage_in_bytes'));
  const cache = parseNamed(file('memory', 'memory.stat'), 'total_inactive_file') ?? 0;
  const bytes = file('blkio', 'blkio.throttle.io_service_bytes_recursive');
  const operations = file('blkio', 'blkio.throttle.io_serviced_recursive');
  const sum = (text: string | null, word: string) => sumOf(text, new RegExp(`^\\d+:\\d+ ${word} (\\d+)$`, 'gm'));
  return {
    cpuSeconds: nanoseconds === null ? null : nanoseconds / nanosecondsPerSecond,
    memoryBytes: memory === null ? null : Math.max(0, memory - cache),
    ...{ diskReadBytes: sum(bytes, 'Read'), diskWriteBytes: sum(bytes, 'Write') },
    ...{ diskReads: sum(operations, 'Read'), diskWrites: sum(operations, 'Write') },
  };
}

function versionTwo(file: (name: string) => string | null): GroupCounters {
  const microseconds = parseNamed(file('cpu.stat'), 'usage_usec');
  const memory = parseNumber(file('memory.current'));
  const cache = parseNamed(file('memory.stat'), 'inactive_file') ?? 0;
  const io = file('io.stat');
  const sum = (word: string) => sumOf(io, new RegExp(`\\b${word}=(\\d+)`, 'g'));
  return {
    cpuSeconds: microseconds === null ? null : microseconds / microsecondsPerSecond,
    // What the kernel only keeps because there is room for it is not the container's need.
    memoryBytes: memory === null ? null : Math.max(0, memory - cache),
    ...{ diskReadBytes: sum('rbytes'), diskWriteBytes: sum('wbytes'), diskReads: sum('rios'), diskWrites: sum('wios') },
  };
}

/** The sum of what a pattern finds, which is nothing where it finds nothing; null where there is no text. */
function sumOf(text: string | null, pattern: RegExp): number | null {
  if (text === null) return null;
  return [...text.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
}

function countNetwork(text: string | null): Pick<Counters, 'networkReceiveBytes' | 'networkSendBytes'> {
  if (text === null) return { networkReceiveBytes: null, networkSendBytes: null };
  const outside = [...parseInterfaces(text)].filter(([name]) => name !== 'lo').map(([, traffic]) => traffic);
  return {
    networkReceiveBytes: outside.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
    networkSendBytes: outside.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  };
}
