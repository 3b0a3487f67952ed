// The driver of VMs on this host: QEMU over its monitor, one process per VM. It decides what has to happen in which order;
// how each thing is done stands in the files around it. It keeps no state that matters: what exists is read from the VMs'
// directories, the process table and QEMU itself, so any agent can go on where another was killed.

import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processAgeMs } from '../../host/process.ts';
import type { Clock } from '../../model/world.ts';
import { gibToBytes, overlaySizeBytes } from '../disk/overlay.ts';
import { DriverFailure, type Found, type Progress } from '../driver.ts';
import { describeObstacle, parseForwards, reconcileForwards } from '../network/forwards.ts';
import { Attachment } from './attachment.ts';
import type { Acceleration } from './command-line.ts';
import { type Confinement, confine, type Walls } from './confinement.ts';
import { explainDeath, startFailure } from './death.ts';
import type { VmDriver, VmSpec } from './driver.ts';
import { boundQemuLog, exists, homeOf, listHomes, readRecord, type VmHome } from './home.ts';
import type { ImageSource } from './image-source.ts';
import { defaultQemuLimits, type QemuLimits } from './limits.ts';
import type { VmLogger } from './logger.ts';
import { type QemuProcess, QemuProcesses } from './process.ts';
import { prepareFiles, startQemu } from './start.ts';
import { endQemu } from './stop.ts';

/** What the driver is made of. */
export interface QemuDriverOptions {
  /** The agent's directory; VMs lie in `vm/` below it. */
  directory: string;
  images: ImageSource;
  acceleration: Acceleration;
  /** The system user for QEMU; its group is used, and its user id where VMs can't have one each. null: not root. */
  user: { uid: number; gid: number } | null;
  logger: VmLogger;
  clock: Clock;
  limits?: Partial<QemuLimits>;
}

/** What is seen of a VM beside its name. */
type Power = Pick<Found, 'power' | 'reason'>;

/** The line to one QEMU, or the attempt to get it. */
interface Line {
  pid: number;
  attachment: Promise<Attachment>;
}

/** What only the first use can find out, because it takes looking at the host. */
interface Ground {
  vmDirectory: string;
  processes: QemuProcesses;
  walls: Walls;
}

export class QemuDriver implements VmDriver {
  readonly #options: QemuDriverOptions;
  readonly #limits: QemuLimits;
  readonly #lines = new Map<string, Line>();
  /** Instances whose guest this driver is about to let run; until then they are nobody's business. */
  readonly #starting = new Set<string>();
  /** How QEMUs ended that this process had started. */
  readonly #exits = new Map<string, string>();
  readonly #listeners: ((instanceId: string) => void)[] = [];
  #ground: Promise<Ground> | undefined;
  #wallsSeenAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: QemuDriverOptions) {
    this.#options = options;
    this.#limits = { ...defaultQemuLimits, ...options.limits };
  }

  /** How well this host can hold its guests. */
  async confinement(): Promise<Confinement> {
    return (await this.#prepare()).walls.confinement;
  }

  async observe(): Promise<Found[]> {
    const ground = await this.#prepare();
    const processes = new Map(ground.processes.find().map((found) => [found.instanceId, found]));
    const ids = new Set([...(await listHomes(ground.vmDirectory)), ...processes.keys()]);
    await this.#watchWalls(ground, processes);
    const found = await Promise.all([...ids].map((id) => this.#look(ground, id, processes.get(id))));
    return found.filter((vm) => vm !== null);
  }

  async inspect(instanceId: string): Promise<Found | undefined> {
    const ground = await this.#prepare();
    const process = ground.processes.find().find((found) => found.instanceId === instanceId);
    return (await this.#look(ground, instanceId, process)) ?? undefined;
  }

  /** Paths of the images that disks of VMs here stand on, for the image store's evictions. */
  async basesInUse(): Promise<ReadonlySet<string>> {
    const { vmDirectory } = await this.#prepare();
    const records = await Promise.all((await listHomes(vmDirectory)).map((id) => readRecord(homeOf(vmDirectory, id))));
    return new Set(records.flatMap((record) => (record === null ? [] : [record.basePath])));
  }

  async run(spec: VmSpec, progress: (step: Progress) => void, signal: AbortSignal): Promise<void> {
    const ground = await this.#prepare();
    const home = homeOf(ground.vmDirectory, spec.instanceId);
    for (const process of ground.processes.find()) {
      if (process.instanceId !== spec.instanceId) continue;
      if (await this.#runsOn(ground, home, process, spec, progress)) return;
    }
    this.#starting.add(spec.instanceId);
    try {
      await this.#start(ground, home, spec, progress, signal);
    } catch (error) {
      throw signal.aborted ? error : await startFailure(home, error, this.#options.logger);
    } finally {
      this.#starting.delete(spec.instanceId);
    }
  }

  async erase(instanceId: string, graceMs: number): Promise<void> {
    const ground = await this.#prepare();
    const home = homeOf(ground.vmDirectory, instanceId);
    for (const process of ground.processes.find()) {
      if (process.instanceId !== instanceId) continue;
      await endQemu(process, () => this.#attach(ground, home, process), graceMs, ground.processes, this.#limits);
    }
    await this.#detach(instanceId);
    await rm(home.directory, { recursive: true, force: true });
    await ground.walls.release(instanceId, () => listHomes(ground.vmDirectory));
    this.#exits.delete(instanceId);
  }

  async strays(known: ReadonlySet<string>): Promise<string[]> {
    const ground = await this.#prepare();
    const strays: string[] = [];
    for (const { pid, instanceId } of ground.processes.find()) {
      if (!known.has(instanceId)) strays.push(`process ${pid} runs VM ${instanceId}`);
    }
    for (const name of await readdir(ground.vmDirectory)) {
      if (!known.has(name)) strays.push(`directory ${join(ground.vmDirectory, name)}`);
    }
    for (const name of await ground.walls.listCgroups()) {
      if (!known.has(name)) strays.push(`control group of VM ${name}`);
    }
    return strays;
  }

  onChange(listener: (instanceId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#lines.keys()].map((instanceId) => this.#detach(instanceId)));
  }

  /** Looks at the host once, so that every later call finds the same ground. */
  #prepare(): Promise<Ground> {
    if (this.#closed) throw new Error('This driver has been closed.');
    this.#ground ??= (async () => {
      const { directory, user, logger } = this.#options;
      await mkdir(join(directory, 'vm'), { recursive: true, mode: 0o700 });
      // One directory has one name, through whatever links the operator came to it.
      const vmDirectory = await realpath(join(directory, 'vm'));
      const userIds = [process.getuid?.() ?? 0, ...(user === null ? [] : [user.uid])];
      const walls = await confine(vmDirectory, user, this.#options.acceleration, logger);
      return { vmDirectory, processes: new QemuProcesses(vmDirectory, userIds), walls };
    })();
    this.#ground.catch(() => {
      this.#ground = undefined; // a full disk, say; the next call tries again
    });
    return this.#ground;
  }

  async #look(ground: Ground, instanceId: string, process: QemuProcess | undefined): Promise<Found | null> {
    if (this.#starting.has(instanceId)) return null;
    const home = homeOf(ground.vmDirectory, instanceId);
    const seen = process === undefined ? null : await this.#lookAtQemu(ground, home, process);
    const power = seen ?? (await this.#lookAtFiles(ground, home));
    // It may have begun to start, or been erased, while this looked.
    if (power === null || this.#starting.has(instanceId)) return null;
    const address = (await readRecord(home))?.address;
    const runningMs = power.power === 'running' && process ? processAgeMs(process.pid) : undefined;
    return {
      instanceId,
      ...power,
      ...(address === undefined ? {} : { address }),
      ...(runningMs === undefined ? {} : { runningMs }),
    };
  }

  /** What a VM without QEMU is; null when nothing of it is here. */
  async #lookAtFiles(ground: Ground, home: VmHome): Promise<Power | null> {
    if (!(await exists(home.directory))) return null;
    if (await exists(home.offMarker)) return { power: 'off' };
    return { power: 'dead', reason: await explainDeath(home, this.#exits.get(home.instanceId), ground.walls) };
  }

  /** What QEMU says; null when it has ended meanwhile. */
  async #lookAtQemu(ground: Ground, home: VmHome, process: QemuProcess): Promise<Power | null> {
    await boundQemuLog(home, this.#limits.qemuLogBytes).catch(() => {}); // the files may be gone
    const calledOff = new AbortController();
    const silence = sleep(this.#limits.observeTimeoutMs, 'silent' as const, { signal: calledOff.signal });
    const asked = this.#attach(ground, home, process).then((attachment) => attachment.state());
    const state = await Promise.race([asked, silence]).catch(() => 'silent' as const);
    calledOff.abort();
    for (const late of [asked, silence]) late.catch(() => {}); // nobody waits for it any more
    switch (state) {
      case 'running':
        return { power: 'running' };
      case 'disk-full':
        return { power: 'running', reason: "paused: the host's disk is full" };
      case 'off':
        await ground.processes.waitForEnd(process, this.#limits.quitTimeoutMs);
        return { power: 'off' };
      case 'never-ran':
        return { power: 'dead', reason: 'its start was interrupted' };
      case 'broken':
        return { power: 'dead', reason: 'QEMU met an internal error' };
      case 'silent': {
        if (!ground.processes.isAlive(process)) return null;
        const isWhole = await exists(home.directory);
        return { power: 'running', reason: isWhole ? 'QEMU does not answer' : 'its files are gone' };
      }
    }
  }

  /** Makes a QEMU that is there right. False when there is none any more that could run the guest. */
  async #runsOn(
    ground: Ground,
    home: VmHome,
    process: QemuProcess,
    spec: VmSpec,
    progress: (step: Progress) => void,
  ): Promise<boolean> {
    let attachment: Attachment;
    let state: Awaited<ReturnType<Attachment['state']>>;
    try {
      attachment = await this.#attach(ground, home, process);
      state = await attachment.state();
    } catch (error) {
      if (!ground.processes.isAlive(process)) return false;
      this.#options.logger.warn({ instanceId: spec.instanceId, pid: process.pid, err: error }, 'QEMU does not answer');
      // Its guest may well run; only an order to erase may end it.
      throw new DriverFailure('vm.not-responding', 'The hypervisor of this VM does not answer at the moment.', false);
    }
    if (state === 'running' || state === 'disk-full') {
      await this.#setPorts(ground, attachment, spec, progress);
      return true;
    }
    // It never ran, or can't run on, or is ending because its guest went off: nothing is lost with it.
    if (state === 'off') await ground.processes.waitForEnd(process, this.#limits.quitTimeoutMs);
    await ground.processes.kill(process, this.#limits.killTimeoutMs);
    return false;
  }

  async #start(
    ground: Ground,
    home: VmHome,
    spec: VmSpec,
    progress: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { walls, processes } = ground;
    const { instanceId, vcpus, memoryMib } = spec;
    await this.#detach(instanceId);
    const record = await prepareFiles(home, spec, this.#options.images, progress, signal);
    progress({ kind: 'vm.start', message: 'Starting the VM' });
    const [{ process, child }] = await Promise.all([
      startQemu(
        home,
        {
          instanceId,
          diskPath: home.disk,
          vcpus,
          memoryMib,
          acceleration: this.#options.acceleration,
          baseFormat: record.baseFormat,
          restrictNetwork: !walls.confinement.packetFilter,
        },
        walls.userOf(instanceId),
      ),
      walls.admit([instanceId]),
    ]);
    this.#exits.delete(instanceId);
    child.once('exit', (code, by) => {
      this.#exits.set(instanceId, by === null ? `QEMU ended with status ${code}` : `QEMU was ended by ${by}`);
      this.#tell(instanceId);
    });
    try {
      await walls.limit(instanceId, process.pid, { vcpus, memoryMib });
      const attachment = await this.#attach(ground, home, process, this.#limits.startTimeoutMs);
      const sizeBytes = gibToBytes(spec.diskGib);
      if ((await overlaySizeBytes(home.disk)) < sizeBytes) await attachment.growDisk(sizeBytes);
      await this.#setPorts(ground, attachment, spec, progress);
      signal.throwIfAborted();
      await rm(home.offMarker, { force: true });
      await attachment.go();
    } catch (error) {
      await processes.kill(process, this.#limits.killTimeoutMs);
      throw error;
    }
  }

  async #setPorts(
    ground: Ground,
    attachment: Attachment,
    spec: VmSpec,
    progress: (step: Progress) => void,
  ): Promise<void> {
    const { instanceId, address, portRules } = spec;
    const standIns = ground.walls.confinement.packetFilter;
    const { forwards, obstacles } = await reconcileForwards(attachment.monitor, address, portRules, { standIns });
    await ground.walls.open(instanceId, forwards);
    for (const obstacle of obstacles) {
      const message = describeObstacle(address, obstacle);
      this.#options.logger.warn({ instanceId, address, ...obstacle.rule }, message);
      if (obstacle.kind === 'taken') throw new DriverFailure('vm.address-in-use', message, false);
      if (obstacle.kind === 'no-address') throw new DriverFailure('vm.address-unusable', message, false);
      progress({ kind: 'vm.start', message });
    }
  }

  /** The line to a QEMU, the one that is there or a new one. There is one at a time: QEMU serves no two. */
  #attach(
    ground: Ground,
    home: VmHome,
    process: QemuProcess,
    timeoutMs = this.#limits.qmpTimeoutMs,
  ): Promise<Attachment> {
    const { instanceId } = home;
    const present = this.#lines.get(instanceId);
    if (present?.pid === process.pid) return present.attachment;
    const isAlive = () => ground.processes.isAlive(process);
    const { clock } = this.#options;
    const options = { limits: this.#limits, clock };
    const attachment = Attachment.open(process, home, timeoutMs, isAlive, options);
    const line: Line = { pid: process.pid, attachment };
    this.#lines.set(instanceId, line);
    const forget = () => {
      if (this.#lines.get(instanceId) === line) this.#lines.delete(instanceId);
    };
    attachment.then((opened) => {
      opened.on('change', () => this.#tell(instanceId));
      opened.once('close', () => {
        forget();
        void ground.processes.waitForEnd(process, this.#limits.quitTimeoutMs).then(() => this.#tell(instanceId));
      });
    }, forget);
    return attachment;
  }

  async #detach(instanceId: string): Promise<void> {
    const line = this.#lines.get(instanceId);
    this.#lines.delete(instanceId);
    const attachment = await line?.attachment.catch(() => undefined);
    await attachment?.close();
  }

  #tell(instanceId: string): void {
    if (this.#closed) return;
    for (const listener of this.#listeners) listener(instanceId);
  }

  /** Puts the walls up again when somebody has flushed the host's packet filter. */
  async #watchWalls(ground: Ground, processes: ReadonlyMap<string, QemuProcess>): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#wallsSeenAtMs < this.#limits.isolationCheckEveryMs) return;
    this.#wallsSeenAtMs = nowMs;
    if (processes.size === 0 || (await ground.walls.stand())) return;
    this.#options.logger.warn({}, "The packet filter's rules for guests were gone; they are put back");
    await ground.walls.admit([...processes.keys()]);
    for (const [instanceId, process] of processes) {
      if (this.#starting.has(instanceId)) continue;
      try {
        const attachment = await this.#attach(ground, homeOf(ground.vmDirectory, instanceId), process);
        await ground.walls.open(instanceId, parseForwards(await attachment.monitor('info usernet')));
      } catch (error) {
        this.#options.logger.warn({ instanceId, err: error }, "The rules for a VM's open ports could not be put back");
      }
    }
  }
}
