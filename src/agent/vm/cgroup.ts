// What a QEMU may take of its host at most, by control groups of version 2 or 1, whichever this machine has. Hosts where
// they can't be written (containers, no root) go without; the caller is told, and says so.

import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { translationCacheMib } from './command-line.ts';

/** QEMU's own needs beside the guest's memory: its code, device state, I/O buffers, 64 I/O threads' stacks. */
const overheadMib = 320;
/** QEMU's main loop and I/O threads beside the virtual CPUs; its I/O pool alone may have 64. */
const extraThreads = 128;
const periodUs = 100_000;
/** Device emulation runs beside the virtual CPUs; without a share of its own it would be taken from the guest's. */
const extraCpuUs = 25_000;
/** A group can't be removed while its last process is still being reaped. */
const removeAttempts = 50;
const removeRetryMs = 20;

const controllers = ['memory', 'cpu', 'pids'] as const;

/** The sizes that limits are made from. */
export interface CgroupSize {
  vcpus: number;
  memoryMib: number;
}

/** The control groups of one agent's VMs, all below one group of its own. */
export class Cgroups {
  /** `null` where no group can be written. */
  readonly version: 'v1' | 'v2' | null;
  readonly #root: string;
  readonly #directories: readonly string[];

  private constructor(version: 'v1' | 'v2' | null, root: string, directories: readonly string[]) {
    this.version = version;
    this.#root = root;
    this.#directories = directories;
  }

  /**
   * Finds out what this machine has.
   * @param group name of the agent's group
   * @param root where control groups are mounted
   */
  static async open(group: string, root = '/sys/fs/cgroup'): Promise<Cgroups> {
    const unified = await stat(join(root, 'cgroup.controllers')).then(
      () => true,
      () => false,
    );
    const directories = unified ? [join(root, group)] : controllers.map((controller) => join(root, controller, group));
    const cgroups = new Cgroups(unified ? 'v2' : 'v1', root, directories);
    try {
      await cgroups.#makeParents();
      await cgroups.#removeEmptyParents();
      return cgroups;
    } catch {
      return new Cgroups(null, root, []);
    }
  }

  /** Puts a process into the group of its instance, made and limited first. */
  async place(instanceId: string, pid: number, size: CgroupSize): Promise<void> {
    const memoryBytes = (size.memoryMib + overheadMib + translationCacheMib) * 1024 * 1024;
    const quotaUs = size.vcpus * periodUs + extraCpuUs;
    const threads = size.vcpus + extraThreads;
    const settings: readonly (readonly [string, string])[][] =
      this.version === 'v2'
        ? [
            [
              ['memory.max', `${memoryBytes}`],
              ['cpu.max', `${quotaUs} ${periodUs}`],
              ['pids.max', `${threads}`],
            ],
          ]
        : [
            [['memory.limit_in_bytes', `${memoryBytes}`]],
            [
              ['cpu.cfs_period_us', `${periodUs}`],
              ['cpu.cfs_quota_us', `${quotaUs}`],
            ],
            [['pids.max', `${threads}`]],
          ];
    await this.#makeParents();
    for (const [index, parent] of this.#directories.entries()) {
      const directory = join(parent, instanceId);
      await mkdir(directory, { recursive: true });
      for (const [name, value] of settings[index] ?? []) await writeFile(join(directory, name), value);
      await writeFile(join(directory, 'cgroup.procs'), String(pid));
    }
  }

  /** How often the kernel killed a process of the instance because its group was out of memory. */
  async memoryKills(instanceId: string): Promise<number> {
    const name = this.version === 'v2' ? 'memory.events' : 'memory.oom_control';
    const text = await readFile(join(this.#directories[0] ?? '', instanceId, name), 'utf8').catch(() => '');
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** The instances that have a group. */
  async list(): Promise<string[]> {
    const found = new Set<string>();
    for (const directory of this.#directories) {
      for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
        if (entry.isDirectory()) found.add(entry.name);
      }
    }
    return [...found];
  }

  /** Removes an instance's group, and the agent's own with the last one. Its processes have to be gone. */
  async remove(instanceId: string): Promise<void> {
    for (const parent of this.#directories) await this.#removeDirectory(join(parent, instanceId));
    await this.#removeEmptyParents();
  }

  async #removeEmptyParents(): Promise<void> {
    for (const parent of this.#directories) await rmdir(parent).catch(() => {}); // still has instances in it
  }

  /** The agent's own groups; they go with its last VM, so they may have to come again. */
  async #makeParents(): Promise<void> {
    for (const directory of this.#directories) {
      await mkdir(directory, { recursive: true });
      if (this.version !== 'v2') continue;
      const enable = controllers.map((controller) => `+${controller}`).join(' ');
      await writeFile(join(this.#root, 'cgroup.subtree_control'), enable);
      await writeFile(join(directory, 'cgroup.subtree_control'), enable);
    }
  }

  async #removeDirectory(directory: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await rmdir(directory);
        return;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'ENOENT') return;
        if (code !== 'EBUSY' || attempt === removeAttempts) throw error;
      }
      await sleep(removeRetryMs);
    }
  }
}
