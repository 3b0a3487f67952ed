// What VMs have used so far: processor and memory are those of the QEMU that runs the guest, disks are counted by QEMU, and the
// network by the guest's cable. QEMU's own network counts nothing, so of a VM that has no cable nothing is said.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Counters } from '../driver.ts';
import { parseInterfaces, parseProcessStat, parseResidentBytes, readText, type Traffic } from '../proc.ts';
import type { Attachment } from './attachment.ts';

/** A QEMU and the line to it. */
export interface CountedVm {
  instanceId: string;
  pid: number;
  attachment: Promise<Attachment>;
}

/** A QEMU that does not answer keeps the others waiting no longer than this. */
const answerMsMax = 2_000;

/** Counts. @param tapOf the name of a guest's cable, where guests have any */
export async function countVms(
  vms: readonly CountedVm[],
  tapOf: (instanceId: string) => string | undefined,
): Promise<Counters[]> {
  const cables = parseInterfaces(readText('/proc/net/dev') ?? '');
  const counted = await Promise.all(
    vms.map((vm) => {
      const tap = tapOf(vm.instanceId);
      return countVm(vm, tap === undefined ? undefined : cables.get(tap));
    }),
  );
  return counted.flatMap((one) => one ?? []);
}

async function countVm(
  { instanceId, pid, attachment }: CountedVm,
  cable: Traffic | undefined,
): Promise<Counters | null> {
  const disks = await countDisks(attachment);
  // Read at one moment, after the only thing here that may take a while.
  const process = parseProcessStat(readText(`/proc/${pid}/stat`) ?? '');
  if (!process) return null;
  return {
    ...{ instanceId, run: `${pid}-${process.startTicks}`, cpuSeconds: process.cpuSeconds },
    memoryBytes: parseResidentBytes(readText(`/proc/${pid}/status`) ?? ''),
    ...disks,
    // What the host gets out of the cable is what the guest has sent.
    networkReceiveBytes: cable?.sentBytes ?? null,
    networkSendBytes: cable?.receivedBytes ?? null,
  };
}

type DiskCounters = Pick<Counters, 'diskReadBytes' | 'diskWriteBytes' | 'diskReads' | 'diskWrites'>;

const uncounted: DiskCounters = { diskReadBytes: null, diskWriteBytes: null, diskReads: null, diskWrites: null };

/** What QEMU says of a drive, as far as it is needed here. */
export interface BlockStats {
  qdev?: string;
  'node-name'?: string;
  stats: { rd_bytes: number; wr_bytes: number; rd_operations: number; wr_operations: number };
}

async function countDisks(attachment: Promise<Attachment>): Promise<DiskCounters> {
  const calledOff = new AbortController();
  const silence = sleep(answerMsMax, null, { signal: calledOff.signal });
  silence.catch(() => {});
  const asked = attachment.then(({ command }) => command<BlockStats[]>('query-blockstats'));
  const drives = await Promise.race([asked, silence]).catch(() => null);
  calledOff.abort();
  asked.catch(() => {}); // nobody waits for it any more
  return drives === null ? uncounted : sumOfDisks(drives);
}

/** What a guest has read and written, of all its disks: the volume that tells it of itself, and the CD, are none. */
export function sumOfDisks(drives: readonly BlockStats[]): DiskCounters {
  // QEMUs of older agents have one disk, which they call so.
  const disks = drives.filter(({ qdev = '', 'node-name': node }) => /(^|\/)drive-/.test(qdev) || node === 'disk');
  const sum = (pick: (stats: BlockStats['stats']) => number) =>
    disks.reduce((total, { stats }) => total + pick(stats), 0);
  return {
    diskReadBytes: sum(({ rd_bytes }) => rd_bytes),
    diskWriteBytes: sum(({ wr_bytes }) => wr_bytes),
    diskReads: sum(({ rd_operations }) => rd_operations),
    diskWrites: sum(({ wr_operations }) => wr_operations),
  };
}
