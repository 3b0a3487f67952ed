// From a VM to QEMU's command line: pure, so that every option can be read and tested in one place. Files reach QEMU as
// open descriptors and never as paths, so its user needs no access to any directory of the host.

import { createHash } from 'node:crypto';
import { qmpSocketName, serialSocketName } from './home.ts';

export type Acceleration = 'kvm' | 'tcg';

/** What one QEMU is started with. */
export interface QemuCommand {
  instanceId: string;
  /** Where the VM's disk lies. QEMU never opens it; it is how a process is recognised as this VM's. */
  diskPath: string;
  vcpus: number;
  memoryMib: number;
  acceleration: Acceleration;
  baseFormat: 'qcow2' | 'raw';
  /** No way out of the guest's network at all: for hosts where no packet filter guards the host's own services. */
  restrictNetwork: boolean;
}

/** Name of the guest's network backend in QEMU's monitor. */
export const networkName = 'n0';

/** TCG keeps translated code; without a bound it takes an eighth of the host's memory, up to 1 GiB per VM. */
export const translationCacheMib = 256;

/** The program that runs guests, which is also how its processes are told from others. */
export const qemuProgram = 'qemu-system-x86_64';

/** QEMU's arguments for one VM, without the program itself. */
export function qemuArguments(command: QemuCommand): string[] {
  const { acceleration, instanceId, vcpus } = command;
  const digest = createHash('sha256').update(instanceId).digest('hex');
  const mac = `52:54:00:${digest.slice(0, 2)}:${digest.slice(2, 4)}:${digest.slice(4, 6)}`;
  // The descriptors that QEMU inherits beside the standard three, in this order.
  const [disk, base, seed] = [3, 4, 5];
  const option = (name: string, ...parts: string[]) => [`-${name}`, parts.join(',')];
  return [
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
    // Only the disk is booted from, and at once.
    ...option('boot', 'strict=on', 'menu=off'),
    // A guest that powers off leaves QEMU standing until the agent has seen it: so "off" is never mistaken for a crash.
    ...option('action', 'reboot=reset', 'shutdown=pause'),
    // Nothing runs before the agent has connected, so not one byte of the serial output is lost.
    '-S',

    ...option('add-fd', `fd=${disk}`, 'set=1', `opaque=${escaped(command.diskPath)}`),
    ...option('add-fd', `fd=${base}`, 'set=2', 'opaque=base'),
    ...option('add-fd', `fd=${seed}`, 'set=3', 'opaque=seed'),
    ...option('blockdev', 'driver=file', 'node-name=base-file', 'filename=/dev/fdset/2', 'read-only=on'),
    ...option('blockdev', `driver=${command.baseFormat}`, 'node-name=base', 'file=base-file', 'read-only=on'),
    ...option('blockdev', 'driver=file', 'node-name=disk-file', 'filename=/dev/fdset/1', 'discard=unmap'),
    // The backing file is the one named here, whatever the overlay's header may say by now.
    ...option(
      'blockdev',
      'driver=qcow2',
      'node-name=disk',
      'file=disk-file',
      'backing=base',
      'discard=unmap',
      'detect-zeroes=unmap',
    ),
    ...option(
      'device',
      'virtio-blk-pci',
      'id=disk0',
      'drive=disk',
      'serial=disk',
      'bootindex=0',
      'werror=enospc',
      'rerror=report',
    ),
    ...option('blockdev', 'driver=file', 'node-name=seed-file', 'filename=/dev/fdset/3', 'read-only=on'),
    ...option('blockdev', 'driver=raw', 'node-name=seed', 'file=seed-file', 'read-only=on'),
    ...option('device', 'virtio-blk-pci', 'id=seed0', 'drive=seed', 'serial=seed'),

    ...option('netdev', 'user', `id=${networkName}`, 'ipv6=off', `restrict=${command.restrictNetwork ? 'on' : 'off'}`),
    // No option ROM: nobody boots from the network here, and loading it takes time.
    ...option('device', 'virtio-net-pci', `netdev=${networkName}`, `mac=${mac}`, 'romfile='),
    ...option('object', 'rng-builtin', 'id=entropy'),
    ...option('device', 'virtio-rng-pci', 'rng=entropy'),
    ...option('device', 'virtio-balloon-pci', 'deflate-on-oom=on', 'free-page-reporting=on'),

    ...option('chardev', 'socket', 'id=qmp', `path=${qmpSocketName}`, 'server=on', 'wait=off'),
    ...option('mon', 'chardev=qmp', 'mode=control'),
    ...option('chardev', 'socket', 'id=serial', `path=${serialSocketName}`, 'server=on', 'wait=off'),
    ...option('serial', 'chardev:serial'),
  ];
}

/**
 * The instance whose disk lies directly in a directory of `vmDirectory`, read back from a process's arguments; null when
 * it is no QEMU of that directory.
 */
export function instanceOfArguments(args: readonly string[], vmDirectory: string): string | null {
  if (!args.some((argument) => argument === qemuProgram || argument.endsWith(`/${qemuProgram}`))) return null;
  for (const argument of args) {
    const path = /^fd=\d+,set=1,opaque=(.+)$/s.exec(argument)?.[1]?.replaceAll(',,', ',');
    if (path === undefined || !path.startsWith(`${vmDirectory}/`)) continue;
    return /^([^/]+)\/disk\.qcow2$/.exec(path.slice(vmDirectory.length + 1))?.[1] ?? null;
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

/** QEMU reads a comma as the end of an option, and two as one comma. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
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
