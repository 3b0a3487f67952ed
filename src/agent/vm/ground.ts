// What the driver of VMs finds on the host before it does anything, and what lies there that belongs to no VM.

import { mkdir, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../model/world.ts';
import type { StoragePools } from '../disk/pools.ts';
import { BridgeNetworks } from '../network/bridge.ts';
import type { Acceleration } from './command-line.ts';
import { confine, markOf, type Walls } from './confinement.ts';
import type { AskSecrets } from './first-boot.ts';
import type { ImageSource } from './image-source.ts';
import type { QemuLimits } from './limits.ts';
import type { VmLogger } from './logger.ts';
import { QemuProcesses } from './process.ts';

/** What the driver is made of. */
export interface QemuDriverOptions {
  /** The agent's directory; VMs lie in `vm/` below it. */
  directory: string;
  /** Where disks lie. */
  pools: StoragePools;
  images: ImageSource;
  askSecrets: AskSecrets;
  acceleration: Acceleration;
  /** The system user for QEMU; its group is used, and its user id where VMs can't have one each. null: not root. */
  user: { uid: number; gid: number } | null;
  logger: VmLogger;
  clock: Clock;
  limits?: Partial<QemuLimits>;
  /** Connects VMs in networks of their groups', to which this host is the router; needs root. Else each is by itself. */
  networks?: { translates: boolean };
}

/** What only the first use can find out, because it takes looking at the host. */
export interface Ground {
  vmDirectory: string;
  processes: QemuProcesses;
  walls: Walls;
  networks: BridgeNetworks | null;
}

/**
 * Looks at the host.
 * @throws Error when the directory can't be made, or a network mode is asked for that needs root
 */
export async function openGround(options: QemuDriverOptions): Promise<Ground> {
  const { directory, user, logger } = options;
  await mkdir(join(directory, 'vm'), { recursive: true, mode: 0o700 });
  // One directory has one name, through whatever links the operator came to it.
  const vmDirectory = await realpath(join(directory, 'vm'));
  const userIds = [process.getuid?.() ?? 0, ...(user === null ? [] : [user.uid])];
  const walls = await confine(vmDirectory, user, options.acceleration, logger);
  const networks = await openNetworks(options, vmDirectory);
  return { vmDirectory, processes: new QemuProcesses(vmDirectory, userIds), walls, networks };
}

async function openNetworks(
  { directory, networks, user, logger }: QemuDriverOptions,
  vmDirectory: string,
): Promise<BridgeNetworks | null> {
  if (networks === undefined) return null;
  if (user === null) throw new Error('The network mode bridge needs root.');
  return BridgeNetworks.open({ ...networks, directory, vmDirectory, mark: markOf(vmDirectory), logger });
}

/** What is there and belongs to none of the VMs and disks that are known, in words. */
export async function listStrays(
  { processes, vmDirectory, walls }: Ground,
  pools: StoragePools,
  known: ReadonlySet<string>,
): Promise<string[]> {
  const strays: string[] = [];
  for (const { pid, instanceId } of processes.find()) {
    if (!known.has(instanceId)) strays.push(`process ${pid} runs VM ${instanceId}`);
  }
  for (const name of await readdir(vmDirectory)) {
    if (!known.has(name)) strays.push(`directory ${join(vmDirectory, name)}`);
  }
  for (const { diskId, directory } of await pools.list()) {
    if (!known.has(diskId)) strays.push(`disk ${directory}`);
  }
  for (const name of await walls.listCgroups()) {
    if (!known.has(name)) strays.push(`control group of VM ${name}`);
  }
  return strays;
}
