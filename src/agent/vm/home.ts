// A VM's directory: what lies where, and a small record. Its disks have places of their own. All of it belongs to the agent
// but `run/`, the only place that QEMU itself may write to: so a QEMU that a guest has taken over can't put links where the agent writes.

import { readdir, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../host/durable-file.ts';
import { parseInstanceId } from '../../model/id.ts';

/** Where the parts of one VM lie. */
export interface VmHome {
  instanceId: string;
  directory: string;
  /** Where older agents kept the VM's one disk, and the image that it is an overlay of. */
  disk: string;
  base: string;
  seed: string;
  serialLog: string;
  qemuLog: string;
  record: string;
  /** Exists once the guest has switched itself off. */
  offMarker: string;
  /** QEMU's working directory, with its sockets. */
  run: string;
}

/** What the directory remembers of its VM beyond what can be seen. */
export interface VmRecord {
  address: string;
  /** Which start of the VM its QEMU was last started for. VMs from before this was counted have none: it is their first. */
  bootNumber?: number;
  /** What that QEMU was started with. */
  size?: { vcpus: number; memoryMib: number };
  /** Of which imaging its guest has been told what only its first boot is. */
  imagingTold?: number;
  /** The boot of the host in which QEMU was last started, to tell a restart of the host from a death of QEMU. */
  bootId: string;
  /** Of the image below a disk that lies where older agents kept it. */
  basePath?: string;
  baseFormat?: 'qcow2' | 'raw';
  baseSha256?: string;
}

/** Names inside `run/`. */
export const qmpSocketName = 'qmp.sock';
export const serialSocketName = 'serial.sock';

/**
 * @param vmDirectory the directory that holds all VMs' directories
 * @throws Error for an id that is none, because ids become paths and arguments here
 */
export function homeOf(vmDirectory: string, instanceId: string): VmHome {
  if (parseInstanceId(instanceId) !== instanceId) throw new Error(`"${instanceId}" is not an instance id.`);
  const directory = join(vmDirectory, instanceId);
  return {
    instanceId,
    directory,
    disk: join(directory, 'disk.qcow2'),
    base: join(directory, 'base'),
    seed: join(directory, 'seed.iso'),
    serialLog: join(directory, 'serial.log'),
    qemuLog: join(directory, 'qemu.log'),
    record: join(directory, 'vm.json'),
    offMarker: join(directory, 'off'),
    run: join(directory, 'run'),
  };
}

/** The ids of all VMs that have a directory, complete or not. */
export async function listHomes(vmDirectory: string): Promise<string[]> {
  const names = await readdir(vmDirectory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => parseInstanceId(name) === name);
}

/** The record, or null where there is none or none that can be read. */
export async function readRecord(home: VmHome): Promise<VmRecord | null> {
  try {
    return JSON.parse(await readFile(home.record, 'utf8')) as VmRecord;
  } catch {
    return null;
  }
}

/** Writes the record so that it is either the old one or the new one, whenever the plug is pulled. */
export async function writeRecord(home: VmHome, record: VmRecord): Promise<void> {
  await writeDurably(home.record, `${JSON.stringify(record, null, 2)}\n`);
}

/** Remembers that the VM went off at that time, and in which of its starts. */
export async function markOff(home: VmHome, at: Date): Promise<void> {
  const bootNumber = (await readRecord(home))?.bootNumber ?? 1;
  await writeDurably(home.offMarker, `${at.toISOString()} ${bootNumber}\n`);
}

/** In which of its starts the VM went off; undefined while it is not off. */
export async function readOffMark(home: VmHome): Promise<number | undefined> {
  const text = await readFile(home.offMarker, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  // Marks from before starts were counted have the time alone.
  const [, bootNumber = '1'] = text.trim().split(' ');
  return Number(bootNumber);
}

export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}

/** The last line of QEMU's own log as a customer may read it, or '' when it said nothing. */
export async function lastWords(home: VmHome): Promise<string> {
  const text = await readFile(home.qemuLog, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return withoutPaths((lines.at(-1) ?? '').trim()).slice(0, 500);
}

/** Cuts QEMU's own log down to nothing once it is over `bytesMax`: a guest may be able to make QEMU complain without end. */
export async function boundQemuLog(home: VmHome, bytesMax: number): Promise<void> {
  const { size } = await stat(home.qemuLog);
  if (size > bytesMax) await truncate(home.qemuLog, 0);
}

/** A message of QEMU without the host's directories and program names in it. */
export function withoutPaths(message: string): string {
  return message.replace(/^\S*qemu-[\w-]+: /, '').replace(/(?<![\w.])\/(?:[^\s/'":,]+\/)+/g, '');
}
