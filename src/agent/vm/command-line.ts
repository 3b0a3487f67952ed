// From a VM to QEMU's command line: pure, so that every option can be read and tested in one place. Files reach QEMU as
// open descriptors and never as paths, so its user needs no access to any directory of the host.

import { createHash } from 'node:crypto';
import { macAddressOf } from '../../model/mac-address.ts';
import type { HardwareProfile } from '../../model/machine.ts';
import { Descriptors, type OpenedFile } from './descriptors.ts';
import { type BlockNode, type DiscFiles, discDrive, discNodes, spareNode } from './discs.ts';
import { qmpSocketName, serialSocketName } from './home.ts';
import { deviceArgument, driveDevices, networkCard, otherDevices } from './profile.ts';
import { screenArguments } from './vnc.ts';

export type Acceleration = 'kvm' | 'tcg';

/** What one QEMU is started with. */
export interface QemuCommand {
  instanceId: string;
  /** The volume that tells the guest of itself. Where it lies is how a process is recognised as this VM's. */
  seedPath: string;
  /** In the order in which the guest sees them; the first is booted from. */
  discs: readonly DiscFiles[];
  /** Empty files, of which disks can be made that are added while the guest runs. */
  spares: readonly string[];
  vcpus: number;
  memoryMib: number;
  acceleration: Acceleration;
  hardwareProfile: HardwareProfile;
  /** The layout of the screen's keyboard; null for QEMU's own. */
  keymap: string | null;
  /** The ISO image in its CD drive. */
  cdromPath: string | null;
  /** Whether a guest that reboots starts anew in this QEMU; else that counts as switching itself off. */
  mayReboot: boolean;
  /** The cable to a network of the host's; null where QEMU itself is all that the guest is connected to. */
  tap: string | null;
  /** No way out of the guest's network at all: for hosts where no packet filter guards the host's own services. */
  restrictNetwork: boolean;
}

/** Name of the guest's network backend in QEMU's monitor. */
export const networkName = 'n0';

/** TCG keeps translated code; without a bound it takes an eighth of the host's memory, up to 1 GiB per VM. */
export const translationCacheMib = 256;

/** The program that runs guests, which is also how its processes are told from others. */
export const qemuProgram = 'qemu-system-x86_64';

/** QEMU's arguments for one VM, without the program itself, and the files that it has to be given with them. */
export function qemuCommandLine(command: QemuCommand): { args: string[]; files: readonly OpenedFile[] } {
  const { acceleration, discs, hardwareProfile, instanceId, vcpus } = command;
  const digest = createHash('sha256').update(instanceId).digest('hex');
  const option = (name: string, ...parts: string[]) => [`-${name}`, parts.join(',')];
  const descriptors = new Descriptors();
  // The seed is the first of them: see instanceOfArguments.
  const nodes = [
    ...volumeNodes('seed', command.seedPath, descriptors),
    ...discs.flatMap((disc) => discNodes(disc, descriptors)),
    ...(command.cdromPath === null ? [] : volumeNodes('cdrom', command.cdromPath, descriptors)),
    ...command.spares.map((path) => spareNode(path, descriptors)),
  ];
  const drives = {
    disks: discs.map(({ id }) => discDrive(id)),
    cdrom: command.cdromPath === null ? null : { id: 'cdrom0', node: 'cdrom', serial: 'cdrom' },
    seed: { id: 'seed0', node: 'seed', serial: 'seed' },
  };
  const devices = [
    ...driveDevices(hardwareProfile, drives),
    networkCard(hardwareProfile, networkName, macAddressOf(instanceId)),
    ...otherDevices(hardwareProfile),
  ];
  const args = [
    ...option('name', `guest=${instanceId}`),
    ...option('uuid', uuidFrom(digest)),
    '-nodefaults',
    '-no-user-config',
    ...option('display', 'none'),
    // Spawning, gaining privileges and old system calls are all that breaking out of QEMU usually begins with.
    ...option('sandbox', 'on', 'obsolete=deny', 'elevateprivileges=deny', 'spawn=deny', 'resourcecontrol=deny'),
    // graphics=off makes the firmware and its boot loader speak on the serial port.
    // hpet=off: with that timer, emulated, Debian's boot loader stood still for over a minute after a reboot from inside.
    ...option('machine', 'pc', 'usb=off', 'vmport=off', 'graphics=off', 'hpet=off', 'dump-guest-core=off'),
    ...(acceleration === 'kvm'
      ? [...option('accel', 'kvm'), ...option('cpu', 'host')]
      : [...option('accel', 'tcg', 'thread=multi', `tb-size=${translationCacheMib}`), ...option('cpu', 'max')]),
    ...option('smp', `cpus=${vcpus}`, 'sockets=1', `cores=${vcpus}`, 'threads=1'),
    ...option('m', `size=${command.memoryMib}M`),
    ...option('rtc', 'base=utc'),
    // Only the CD and the first disk are booted from, and at once.
    ...option('boot', 'strict=on', 'menu=off'),
    // A guest that powers off leaves QEMU standing until the agent has seen it: so "off" is never mistaken for a crash.
    ...option('action', `reboot=${command.mayReboot ? 'reset' : 'shutdown'}`, 'shutdown=pause'),
    // Nothing runs before the agent has connected, so not one byte of the serial output is lost.
    '-S',

    ...descriptors.arguments(),
    ...nodes.flatMap((node) => ['-blockdev', JSON.stringify(node)]),

    ...(command.tap === null
      ? option('netdev', 'user', `id=${networkName}`, 'ipv6=off', `restrict=${command.restrictNetwork ? 'on' : 'off'}`)
      : option(
          'netdev',
          'tap',
          `id=${networkName}`,
          `ifname=${command.tap}`,
          'script=no',
          'downscript=no',
          'vhost=off',
        )),
    ...option('object', 'rng-builtin', 'id=entropy'),
    ...devices.flatMap((device) => option('device', deviceArgument(device))),
    ...screenArguments(command.keymap),

    ...option('chardev', 'socket', 'id=qmp', `path=${qmpSocketName}`, 'server=on', 'wait=off'),
    ...option('mon', 'chardev=qmp', 'mode=control'),
    ...option('chardev', 'socket', 'id=serial', `path=${serialSocketName}`, 'server=on', 'wait=off'),
    ...option('serial', 'chardev:serial'),
  ];
  return { args, files: descriptors.files };
}

/** The nodes of a volume that is only read. */
function volumeNodes(name: string, path: string, descriptors: Descriptors): BlockNode[] {
  const filename = descriptors.add({ path, access: 'read', mark: path });
  return [
    { driver: 'file', 'node-name': `${name}-file`, filename, 'read-only': true },
    { driver: 'raw', 'node-name': name, file: `${name}-file`, 'read-only': true },
  ];
}

/**
 * The instance whose seed lies directly in a directory of `vmDirectory`, read back from a process's arguments; null when
 * it is no QEMU of that directory. Older agents gave QEMU the VM's one disk first, which lay there, too.
 */
export function instanceOfArguments(args: readonly string[], vmDirectory: string): string | null {
  if (!args.some((argument) => argument === qemuProgram || argument.endsWith(`/${qemuProgram}`))) return null;
  for (const argument of args) {
    const path = /^fd=\d+,set=1,opaque=(.+)$/s.exec(argument)?.[1]?.replaceAll(',,', ',');
    if (path === undefined || !path.startsWith(`${vmDirectory}/`)) continue;
    return /^([^/]+)\/(?:seed\.iso|disk\.qcow2)$/.exec(path.slice(vmDirectory.length + 1))?.[1] ?? null;
  }
  return null;
}

/**
 * The command line that runs a program as another user with one privilege: to bind ports below 1024.
 * @param groups supplementary groups, such as the one that may use /dev/kvm
 */
export function asUser(
  user: { uid: number; gid: number },
  groups: readonly number[],
  file: string,
  args: readonly string[],
): { file: string; args: string[] } {
  const only = '-all,+net_bind_service';
  return {
    file: 'setpriv',
    args: [
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      groups.length > 0 ? `--groups=${groups.join(',')}` : '--clear-groups',
      `--inh-caps=${only}`,
      `--ambient-caps=${only}`,
      `--bounding-set=${only}`,
      '--no-new-privs',
      '--',
      file,
      ...args,
    ],
  };
}

/** 32 digits of a digest in the form of a random UUID. */
function uuidFrom(digest: string): string {
  const variant = ((Number.parseInt(digest.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `4${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}
