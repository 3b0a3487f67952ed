// The walls around QEMU that are made of the host's own means: a user id per VM, control groups, the packet filter. Each is
// used where this host has it; where it has not, the driver goes on with less, and this says so once and on request.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Forward } from '../network/forwards.ts';
import { Isolation } from '../network/isolation.ts';
import { type CgroupSize, Cgroups } from './cgroup.ts';
import type { Acceleration } from './command-line.ts';
import { listHomes } from './home.ts';
import type { VmLogger } from './logger.ts';
import { userIdOf, userIdsAreMapped } from './user-id.ts';

/** What holds the guests of this host. */
export interface Confinement {
  /** Each VM's QEMU has a host user of its own; `shared`: one for all; `agent`: the agent's. */
  users: 'per-vm' | 'shared' | 'agent';
  cgroups: 'v1' | 'v2' | null;
  /** Whether guests get out, guarded by the packet filter. Where not, they have no way out at all. */
  packetFilter: boolean;
}

/** The user that a QEMU runs as. */
export interface QemuUser {
  uid: number;
  gid: number;
  groups: readonly number[];
}

/** The walls as the driver uses them; whichever are not there do nothing. */
export class Walls {
  readonly confinement: Confinement;
  readonly #vmDirectory: string;
  readonly #user: QemuUser | null;
  readonly #cgroups: Cgroups;
  readonly #isolation: Isolation | null;
  readonly #logger: VmLogger;

  constructor(
    vmDirectory: string,
    user: QemuUser | null,
    cgroups: Cgroups,
    isolation: Isolation | null,
    logger: VmLogger,
  ) {
    this.#vmDirectory = vmDirectory;
    this.#user = user;
    this.#cgroups = cgroups;
    this.#isolation = isolation;
    this.#logger = logger;
    const users = user === null ? 'agent' : userIdsAreMapped() ? 'per-vm' : 'shared';
    this.confinement = { users, cgroups: cgroups.version, packetFilter: isolation !== null };
  }

  /** The user for a VM's QEMU; null means the agent's own. */
  userOf(instanceId: string): QemuUser | null {
    if (this.#user === null || this.confinement.users === 'shared') return this.#user;
    return { ...this.#user, uid: userIdOf(this.#vmDirectory, instanceId) };
  }

  /** Keeps guests from the host's own services. Has to be done before they run. */
  async admit(instanceIds: readonly string[]): Promise<void> {
    await this.#isolation?.admit(this.#userIds(instanceIds));
  }

  /** Lets other guests through to an instance's open ports. */
  async open(instanceId: string, forwards: readonly Forward[]): Promise<void> {
    await this.#isolation?.open(instanceId, forwards);
  }

  /** Whether the packet filter's part is still there. */
  async stand(): Promise<boolean> {
    return this.#isolation === null || (await this.#isolation.intact());
  }

  /** Bounds what a QEMU may take of the host. */
  async limit(instanceId: string, pid: number, size: CgroupSize): Promise<void> {
    try {
      await this.#cgroups.place(instanceId, pid, size);
    } catch (error) {
      this.#logger.warn({ instanceId, err: error }, 'A VM runs without limits: its control group could not be made');
    }
  }

  /** How often the kernel ended an instance's QEMU for want of memory. */
  async memoryKills(instanceId: string): Promise<number> {
    return await this.#cgroups.memoryKills(instanceId);
  }

  /** Instances that have a control group. */
  async listCgroups(): Promise<string[]> {
    return await this.#cgroups.list();
  }

  /**
   * Takes down what was put up for an instance.
   * @param others gives the instances that are still here
   */
  async release(instanceId: string, others: () => Promise<string[]>): Promise<void> {
    await this.#cgroups.remove(instanceId);
    await this.#isolation?.release(instanceId, async () => {
      const remaining = await others();
      return this.#userIds(remaining.filter((id) => id !== instanceId));
    });
  }

  #userIds(instanceIds: readonly string[]): Map<string, number> {
    return new Map(instanceIds.map((id) => [id, this.userOf(id)?.uid ?? 0]));
  }
}

/** Hexadecimal digits of an agent's own: several agents of one machine each have a name for what they put up on it. */
export function markOf(vmDirectory: string): string {
  return createHash('sha256').update(vmDirectory).digest('hex').slice(0, 12);
}

/** Finds out which walls this host has, and says which it has not. */
export async function confine(
  vmDirectory: string,
  user: { uid: number; gid: number } | null,
  acceleration: Acceleration,
  logger: VmLogger,
): Promise<Walls> {
  const name = `berth_${markOf(vmDirectory)}`;
  const cgroups = await Cgroups.open(name);
  if (cgroups.version === null) logger.warn({}, 'VMs run without limits: control groups can not be written here');
  const groups = acceleration === 'kvm' ? [(await stat('/dev/kvm')).gid] : [];
  const isolation = user === null ? null : await isolate(name, vmDirectory, logger);
  if (user === null) {
    logger.warn({}, 'VMs have no way out to any network: only root can guard the host from its guests');
  }
  return new Walls(vmDirectory, user === null ? null : { ...user, groups }, cgroups, isolation, logger);
}

async function isolate(name: string, vmDirectory: string, logger: VmLogger): Promise<Isolation | null> {
  const isolation = new Isolation(name);
  try {
    // Making the table is the only proof that it can be made; with no VM here it goes again until there is one.
    await isolation.admit(new Map());
    if ((await listHomes(vmDirectory)).length === 0) await isolation.release('', async () => new Map());
    return isolation;
  } catch (error) {
    logger.warn({ err: error }, 'VMs have no way out to any network: the packet filter can not be used here');
    return null;
  }
}
