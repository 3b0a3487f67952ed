// A backup as QEMU makes it: a job that copies a disk as it was at one moment, whatever the guest writes meanwhile. What an agent
// that was killed has left of one is cleared away first.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, QmpRefusal } from './qmp.ts';

/** How long a look at a job may be behind. */
const pollMs = 200;

/** What QEMU says of a job. `current-progress` is in bytes of the disk. */
interface JobInfo {
  id: string;
  status: string;
  'current-progress'?: number;
  error?: string;
}

/** A copy to be made. */
interface BackupCopy {
  backupId: string;
  /** The disk's node. */
  node: string;
  /** Where the target is served. */
  socket: string;
  /** What copying may take of the disk; the guest's own reads and writes come first. */
  bytesPerSecond: number;
  /** How much the target holds by now. */
  writtenBytes(): Promise<number>;
}

/** QEMU's speed without a limit. */
const unlimited = 0;

/** A job's names in QEMU: node names are short. */
function namesOf(backupId: string): { job: string; node: string } {
  const short = createHash('sha256').update(backupId).digest('hex').slice(0, 20);
  return { job: `backup-${short}`, node: `target-${short}` };
}

/**
 * Copies a disk's node to a target that is served on a socket.
 * @param signal calls it off
 * @throws Error with QEMU's reason
 */
export async function runBackupJob(command: Command, copy: BackupCopy, signal: AbortSignal): Promise<void> {
  const { job, node } = namesOf(copy.backupId);
  await clearBackupJob(command, copy.backupId);
  try {
    await command('blockdev-add', {
      ...{ driver: 'nbd', 'node-name': node, 'detect-zeroes': 'unmap', discard: 'unmap' },
      server: { type: 'unix', path: copy.socket },
    });
    await command('blockdev-backup', {
      ...{ 'job-id': job, device: copy.node, target: node, sync: 'full', speed: copy.bytesPerSecond },
      ...{ 'auto-dismiss': false, 'on-source-error': 'report', 'on-target-error': 'report' },
    });
    await untilConcluded(command, job, copy, signal);
  } finally {
    await clearBackupJob(command, copy.backupId);
  }
}

/** Ends what there is of a backup's job in a QEMU, and takes its target from it. */
async function clearBackupJob(command: Command, backupId: string): Promise<void> {
  const { job, node } = namesOf(backupId);
  const find = async () => (await command<JobInfo[]>('query-jobs')).find(({ id }) => id === job);
  for (let present = await find(); present; present = await find()) {
    if (present.status === 'concluded') await command('job-dismiss', { id: job });
    else await unlessRefused(command('job-cancel', { id: job }));
    await sleep(pollMs / 10);
  }
  await unlessRefused(command('blockdev-del', { 'node-name': node }));
}

/**
 * Waits for a job's end and keeps its pace. QEMU counts a hole in a disk as if it were copied: by the limit alone an empty
 * terabyte would take nine hours. So the limit is lifted for as long as less than half of what is passed is written.
 */
async function untilConcluded(command: Command, job: string, copy: BackupCopy, signal: AbortSignal): Promise<void> {
  let before = { passed: 0, written: await copy.writtenBytes() };
  let speed = copy.bytesPerSecond;
  for (;;) {
    signal.throwIfAborted();
    const present = (await command<JobInfo[]>('query-jobs')).find(({ id }) => id === job);
    if (!present) throw new Error('the job is not there any more');
    if (present.status === 'concluded') {
      if (present.error !== undefined) throw new Error(present.error);
      return;
    }
    const now = { passed: present['current-progress'] ?? 0, written: await copy.writtenBytes() };
    const passed = now.passed - before.passed;
    const isHole = now.written - before.written < passed / 2;
    const right = isHole ? unlimited : copy.bytesPerSecond;
    if (passed > 0 && right !== speed) {
      await unlessRefused(command('block-job-set-speed', { device: job, speed: right })); // it may just have ended
      speed = right;
    }
    before = now;
    await sleep(pollMs, undefined, { signal });
  }
}

/** What is not there can't be ended, and need not be. */
async function unlessRefused(asked: Promise<unknown>): Promise<void> {
  await asked.catch((error: unknown) => {
    if (!(error instanceof QmpRefusal)) throw error;
  });
}
