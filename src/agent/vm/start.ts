// Bringing a VM's files into being and starting its QEMU, each step repeatable after a crash in any other.

import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import type { ImagingSecrets } from '../../api/agent/contract/secret.ts';
import { bootId } from '../../host/process.ts';
import { makeSeed } from '../disk/seed.ts';
import { DriverFailure } from '../driver.ts';
import { chosenIpv6Commands } from '../network/chosen-ipv6.ts';
import { cdromUrlOf, prepareCdrom } from './cdrom.ts';
import { asUser, type QemuCommand, qemuCommandLine, qemuProgram } from './command-line.ts';
import { adoptDisc, type DiscMaking, type PreparedDisc, prepareDiscs } from './disc-files.ts';
import { type Machine, plainMachine, type VmSpec } from './driver.ts';
import { type AskSecrets, secretsFor, seedOf } from './first-boot.ts';
import { readOffMark, readRecord, type VmHome, writeRecord } from './home.ts';
import { type QemuProcess, startDetached } from './process.ts';

/**
 * The machine of a VM's next start. An appliance that is meant for one start is over once the guest has gone off in it, though
 * the VM comes back up under the same number.
 */
export async function machineOf(home: VmHome, { machine = plainMachine, bootNumber }: VmSpec): Promise<Machine> {
  const isOnce = machine.appliance?.permanent === false;
  return isOnce && (await readOffMark(home)) === bootNumber ? { ...machine, appliance: null } : machine;
}

/** What a VM is started from, as far as QEMU has to be told of it. */
export interface Prepared {
  discs: PreparedDisc[];
  cdromPath: string | null;
  /** The seed volume has something in it that only the guest may know. */
  hasSecrets: boolean;
}

/**
 * Makes complete what a VM is started from: its disks, its CD, its seed volume, its record.
 * @throws DriverFailure when an image can't be had or does not fit
 */
export async function prepareFiles(
  home: VmHome,
  spec: VmSpec,
  machine: Machine,
  making: DiscMaking & { askSecrets: AskSecrets },
): Promise<Prepared> {
  const cdromUrl = cdromUrlOf(machine);
  if (spec.disks.length === 0 && cdromUrl === null)
    throw new DriverFailure(
      'vm.nothing-to-start',
      'The VM has neither a disk nor a CD that it could start from.',
      false,
    );
  await adoptDisc(home, spec, making.pools);
  const discs = await prepareDiscs(spec, making);
  await mkdir(home.directory, { recursive: true, mode: 0o700 });
  await chmod(home.directory, 0o700);
  const cdromPath = await prepareCdrom(home, cdromUrl, making);
  making.progress({ kind: 'vm.prepare', message: 'Preparing to start' });
  const earlier = await readRecord(home);
  // Neither an appliance's start nor that of a restored disk is the first boot of what is on the disks.
  const isFirst = !machine.appliance && imagingIn(spec, discs) === spec.image?.imaging;
  const secrets = isFirst ? await secretsFor(spec, earlier, making.askSecrets) : null;
  const { address, bootNumber, vcpus, memoryMib } = spec;
  const told = earlier?.imagingTold === undefined ? {} : { imagingTold: earlier.imagingTold };
  await writeRecord(home, { address, bootNumber, size: { vcpus, memoryMib }, bootId: bootId(), ...told });
  // The last step: from here on the caller sees to it that secrets in it are forgotten.
  await putSeed(home, spec, discs, secrets);
  return { discs, cdromPath, hasSecrets: secrets !== null };
}

/** Writes the seed volume anew without secrets; a QEMU that has it open keeps what it has. */
export async function forgetSecrets(home: VmHome, spec: VmSpec, discs: readonly PreparedDisc[]): Promise<void> {
  await putSeed(home, spec, discs, null);
}

/** Notes that the guest of an imaging runs, and with what only its first boot is told. */
export async function noteTold(home: VmHome, { image }: VmSpec): Promise<void> {
  const record = await readRecord(home);
  if (image === null || record === null || record.imagingTold === image.imaging) return;
  await writeRecord(home, { ...record, imagingTold: image.imaging });
}

async function putSeed(
  home: VmHome,
  spec: VmSpec,
  discs: readonly PreparedDisc[],
  secrets: ImagingSecrets | null,
): Promise<void> {
  await makeSeed(home.seed, { ...seedOf(spec, secrets, imagingIn(spec, discs)), bootcmd: chosenIpv6Commands(spec) });
}

/** Which imaging the content stems from that a VM starts with; undefined where nothing was imaged. */
const imagingIn = ({ image }: VmSpec, [first]: readonly PreparedDisc[]) =>
  image === null ? undefined : (first?.imaging ?? image.imaging);

/** Starts QEMU on complete files. Its guest does not run yet. */
export async function startQemu(
  home: VmHome,
  command: QemuCommand,
  user: { uid: number; gid: number; groups: readonly number[] } | null,
): Promise<{ process: QemuProcess; child: ChildProcess }> {
  // Sockets of an earlier QEMU, and whatever it may have put beside them.
  await rm(home.run, { recursive: true, force: true });
  await mkdir(home.run, { mode: 0o700 });
  if (user !== null) await chown(home.run, user.uid, user.gid);
  const opened: FileHandle[] = [];
  const file = async (path: string, flags: number) => {
    const handle = await open(path, flags, 0o600);
    opened.push(handle);
    return handle.fd;
  };
  const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
  try {
    // Appending, so that the file can be cut short while QEMU has it open.
    const log = await file(home.qemuLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
    const { args, files: wanted } = qemuCommandLine(command);
    const files: number[] = [];
    for (const { path, access } of wanted) files.push(await file(path, access === 'write' ? O_RDWR : O_RDONLY));
    const line = user === null ? { file: qemuProgram, args } : asUser(user, user.groups, qemuProgram, args);
    const { pid, child } = await startDetached(line, { cwd: home.run, log, files });
    return { process: { pid, instanceId: command.instanceId }, child };
  } finally {
    for (const handle of opened) await handle.close();
  }
}
