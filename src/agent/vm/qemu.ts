// The driver of VMs on this host: QEMU over its monitor, one process per VM. It decides what has to happen in which order;
// how each thing is done stands in the files around it. It keeps no state that matters: what exists is read from the VMs'
// directories, the process table and QEMU itself, so any agent can go on where another was killed.

import { rm } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { processAgeMs } from '../../host/process.ts';
import type { Act } from '../../model/act.ts';
import type { VmChannel } from '../../model/console.ts';
import { disksMax } from '../../model/disk.ts';
import { eraseDisk } from '../disk/place.ts';
import { makeSpares, removeSpares } from '../disk/spares.ts';
import { type Counters, DriverFailure, type Found, type Progress } from '../driver.ts';
import { forgetGuest } from '../network/guest.ts';
import type { Attachment } from './attachment.ts';
import { type BackupGround, VmBackups } from './backups.ts';
import type { Confinement } from './confinement.ts';
import { VmConsoles } from './consoles.ts';
import { startFailure } from './death.ts';
import { adoptDisc, poolOf } from './disc-files.ts';
import type { BackupNews, VmDriver, VmSpec } from './driver.ts';
import { type Ground, listStrays, openGround, type QemuDriverOptions } from './ground.ts';
import { exists, homeOf, listHomes, markOff, readRecord, type VmHome } from './home.ts';
import { defaultQemuLimits, type QemuLimits } from './limits.ts';
import { QemuLines } from './lines.ts';
import { addDiscs, adjustDiscs, isOpenIn, type LiveDiscs } from './live-discs.ts';
import { lookAtFiles, lookAtQemu } from './look.ts';
import { reopenPorts, setPorts } from './ports.ts';
import type { QemuProcess } from './process.ts';
import { forgetSecrets, machineOf, noteTold, prepareFiles, startQemu } from './start.ts';
import { endQemu } from './stop.ts';
import { countVms } from './usage.ts';

export class QemuDriver implements VmDriver {
  readonly #options: QemuDriverOptions;
  readonly #limits: QemuLimits;
  readonly #lines: QemuLines;
  readonly #consoles = new VmConsoles();
  readonly #backups: VmBackups;
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
    const { clock } = options;
    const changed = (instanceId: string) => this.#tell(instanceId);
    this.#lines = new QemuLines({ consoles: this.#consoles, limits: this.#limits, clock, changed });
    this.#backups = new VmBackups(options, changed);
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
    // Those of disks, and of the one that an older agent kept in its VM's own directory.
    const records = await Promise.all((await listHomes(vmDirectory)).map((id) => readRecord(homeOf(vmDirectory, id))));
    return new Set([
      ...(await this.#options.pools.basesInUse()),
      ...records.flatMap((record) => record?.basePath ?? []),
    ]);
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

  async halt(instanceId: string): Promise<void> {
    const ground = await this.#prepare();
    const home = homeOf(ground.vmDirectory, instanceId);
    if (!(await exists(home.directory))) return;
    // First the mark, then the end: so there is no moment at which it could be taken for a crash.
    await markOff(home, this.#options.clock.now());
    await this.#end(ground, home, 0);
  }

  async act(instanceId: string, what: Act): Promise<boolean> {
    const ground = await this.#prepare();
    const process = ground.processes.find().find((found) => found.instanceId === instanceId);
    if (process === undefined || this.#starting.has(instanceId)) return false;
    const attachment = await this.#lines.open(ground.processes, homeOf(ground.vmDirectory, instanceId), process);
    if ((await attachment.state()) !== 'running') return false;
    if (what.kind === 'powerdown') await attachment.pressPowerButton();
    else if (what.kind === 'reset') await attachment.reset();
    else await attachment.pressKeys(what.keys);
    return true;
  }

  async console(instanceId: string, channel: VmChannel): Promise<Duplex> {
    const ground = await this.#prepare();
    const isRunning = ground.processes.find().some((found) => found.instanceId === instanceId);
    return this.#consoles.open(homeOf(ground.vmDirectory, instanceId), channel, isRunning);
  }

  async erase(instanceId: string, graceMs: number): Promise<void> {
    const ground = await this.#prepare();
    const home = homeOf(ground.vmDirectory, instanceId);
    await this.#end(ground, home, graceMs);
    await this.#backups.callOffAll(instanceId);
    this.#consoles.forget(instanceId);
    await rm(home.directory, { recursive: true, force: true });
    for (const pool of await this.#poolDirectories()) await removeSpares(pool, instanceId);
    await ground.walls.release(instanceId, () => listHomes(ground.vmDirectory));
    await ground.networks?.disconnect(instanceId);
    this.#exits.delete(instanceId);
  }

  async settleDisks(spec: VmSpec): Promise<string[]> {
    const { pools } = this.#options;
    const ground = await this.#prepare();
    const process = ground.processes.find().find(({ instanceId }) => instanceId === spec.instanceId);
    if (!process) await adoptDisc(homeOf(ground.vmDirectory, spec.instanceId), spec, pools);
    const erased: string[] = [];
    for (const disk of spec.eraseDisks ?? []) {
      const place = await pools.placeOf(poolOf(disk), disk.id);
      if (process && (await isOpenIn(process.pid, place))) continue;
      await this.#backups.callOff(disk.id);
      await eraseDisk(place);
      erased.push(disk.id);
    }
    return erased;
  }

  async settleBackups(spec: VmSpec): Promise<BackupNews> {
    const ground = await this.#prepare();
    return this.#backups.settle(spec, await this.#backupGround(ground, spec.instanceId));
  }

  async #backupGround(ground: Ground, instanceId: string): Promise<BackupGround> {
    const home = homeOf(ground.vmDirectory, instanceId);
    const process = ground.processes.find().find((found) => found.instanceId === instanceId);
    const command = process ? (await this.#lines.open(ground.processes, home, process)).command : null;
    return { home, user: ground.walls.userOf(instanceId), command };
  }

  async usage(): Promise<Counters[]> {
    const { networks } = await this.#prepare();
    const running = this.#lines.present().filter(({ instanceId }) => !this.#starting.has(instanceId));
    return countVms(running, (instanceId) => networks?.tapOf(instanceId));
  }

  async strays(known: ReadonlySet<string>): Promise<string[]> {
    return listStrays(await this.#prepare(), this.#options.pools, known);
  }

  onChange(listener: (instanceId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#consoles.close();
    await this.#backups.close();
    await this.#lines.close();
  }

  /** Looks at the host once, so that every later call finds the same ground. */
  #prepare(): Promise<Ground> {
    if (this.#closed) throw new Error('This driver has been closed.');
    this.#ground ??= openGround(this.#options);
    this.#ground.catch(() => {
      this.#ground = undefined; // a full disk, say; the next call tries again
    });
    return this.#ground;
  }

  async #look(ground: Ground, instanceId: string, process: QemuProcess | undefined): Promise<Found | null> {
    if (this.#starting.has(instanceId)) return null;
    const home = homeOf(ground.vmDirectory, instanceId);
    const { processes, walls } = ground;
    const attach = (qemu: QemuProcess) => () => this.#lines.open(processes, home, qemu);
    const seen = process ? await lookAtQemu(home, process, processes, attach(process), this.#limits) : null;
    const power = seen ?? (await lookAtFiles(home, this.#exits.get(instanceId), walls));
    // It may have begun to start, or been erased, while this looked.
    if (power === null || this.#starting.has(instanceId)) return null;
    const record = await readRecord(home);
    const address = record?.address;
    const runningMs = power.power === 'running' && process ? processAgeMs(process.pid) : undefined;
    return {
      instanceId,
      bootNumber: record?.bootNumber ?? 1,
      ...power,
      ...(address === undefined ? {} : { address }),
      ...(runningMs === undefined ? {} : { runningMs }),
      ...(runningMs === undefined || record?.size === undefined ? {} : { size: record.size }),
    };
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
      attachment = await this.#lines.open(ground.processes, home, process);
      state = await attachment.state();
    } catch (error) {
      if (!ground.processes.isAlive(process)) return false;
      this.#options.logger.warn({ instanceId: spec.instanceId, pid: process.pid, err: error }, 'QEMU does not answer');
      // Its guest may well run; only an order to erase may end it.
      throw new DriverFailure('vm.not-responding', 'The hypervisor of this VM does not answer at the moment.', false);
    }
    if (state === 'running' || state === 'disk-full') {
      await this.#connect(ground, attachment, spec, progress);
      await this.#setDiscs(attachment, process, spec, progress);
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
    await this.#lines.end(instanceId);
    const { images, pools } = this.#options;
    const machine = await machineOf(home, spec);
    const { hardwareProfile, keymap, appliance } = machine;
    await this.#backups.beforeStart(spec, { home, user: walls.userOf(instanceId), command: null }, signal);
    const making = { pools, images, progress, signal, askSecrets: this.#options.askSecrets };
    const { discs, cdromPath, hasSecrets } = await prepareFiles(home, spec, machine, making);
    const bringUp = async () => {
      signal.throwIfAborted();
      const spares: string[] = [];
      for (const pool of hardwareProfile === 'virtio2013' ? await this.#poolDirectories() : [])
        spares.push(...(await makeSpares(pool, instanceId, disksMax - discs.length)));
      progress({ kind: 'vm.start', message: 'Starting the VM' });
      if (ground.networks) await ground.networks.connect(spec, walls.userOf(instanceId)?.uid ?? 0);
      else await forgetGuest(ground.vmDirectory, instanceId);
      const command = {
        instanceId,
        seedPath: home.seed,
        discs,
        spares,
        vcpus,
        memoryMib,
        acceleration: this.#options.acceleration,
        hardwareProfile,
        keymap,
        cdromPath,
        mayReboot: appliance?.permanent !== false,
        tap: ground.networks?.tapOf(instanceId) ?? null,
        restrictNetwork: !walls.confinement.packetFilter,
      };
      const qemu = startQemu(home, command, walls.userOf(instanceId));
      return (await Promise.all([qemu, walls.admit([instanceId])]))[0];
    };
    // Whatever becomes of the start, the seed with secrets in it has had its time.
    const { process, child } = await bringUp().finally(() => hasSecrets && forgetSecrets(home, spec, discs));
    this.#exits.delete(instanceId);
    child.once('exit', (code, by) => {
      this.#exits.set(instanceId, by === null ? `QEMU ended with status ${code}` : `QEMU was ended by ${by}`);
      this.#tell(instanceId);
    });
    try {
      await walls.limit(instanceId, process.pid, { vcpus, memoryMib });
      const attachment = await this.#lines.open(ground.processes, home, process, this.#limits.startTimeoutMs);
      await adjustDiscs(this.#liveDiscs(attachment, process, spec));
      await this.#connect(ground, attachment, spec, progress);
      signal.throwIfAborted();
      await rm(home.offMarker, { force: true });
      await attachment.go();
      if (!appliance) await noteTold(home, spec);
    } catch (error) {
      await processes.kill(process, this.#limits.killTimeoutMs);
      throw error;
    }
  }

  /** Ends a VM's QEMU, if it has one; its guest is asked first and given that long. */
  async #end({ processes }: Ground, home: VmHome, graceMs: number): Promise<void> {
    for (const process of processes.find()) {
      if (process.instanceId !== home.instanceId) continue;
      await endQemu(process, () => this.#lines.open(processes, home, process), graceMs, processes, this.#limits);
    }
    await this.#lines.end(home.instanceId);
  }

  /** The directories of the pools that are there. */
  async #poolDirectories(): Promise<string[]> {
    const { pools } = this.#options;
    const found = await Promise.all(pools.labels.map((label) => pools.directoryOf(label).catch(() => undefined)));
    return found.filter((directory) => directory !== undefined);
  }

  #liveDiscs({ command }: Attachment, { pid }: QemuProcess, { disks }: VmSpec): LiveDiscs {
    const callOffBackup = (diskId: string) => this.#backups.callOff(diskId);
    return { command, pid, disks, pools: this.#options.pools, callOffBackup };
  }

  async #setDiscs(
    attachment: Attachment,
    process: QemuProcess,
    spec: VmSpec,
    progress: (step: Progress) => void,
  ): Promise<void> {
    const live = this.#liveDiscs(attachment, process, spec);
    const waiting = await addDiscs(live);
    await adjustDiscs(live);
    if (waiting.length === 0) return;
    const message = 'A disk could not be added while the VM runs; it is there from the next start on.';
    progress({ kind: 'vm.disk', message, data: { disks: waiting.map(({ id }) => id) } });
  }

  /** Gives a VM the ports and addresses that it should have, in whichever kind of network it is. */
  async #connect(ground: Ground, attachment: Attachment, spec: VmSpec, progress: (step: Progress) => void) {
    const { networks, walls } = ground;
    if (await networks?.has(spec.instanceId)) await networks?.connect(spec, walls.userOf(spec.instanceId)?.uid ?? 0);
    else await setPorts(attachment, spec, walls, this.#options.logger, progress);
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
    if (await ground.networks?.mend()) {
      this.#options.logger.warn({}, "The host's network for guests was not whole; it is put back");
    }
    if (processes.size === 0 || (await ground.walls.stand())) return;
    this.#options.logger.warn({}, "The packet filter's rules for guests were gone; they are put back");
    await ground.walls.admit([...processes.keys()]);
    for (const [instanceId, process] of processes) {
      if (this.#starting.has(instanceId)) continue;
      try {
        const attachment = await this.#lines.open(ground.processes, homeOf(ground.vmDirectory, instanceId), process);
        await reopenPorts(attachment, instanceId, ground.walls);
      } catch (error) {
        this.#options.logger.warn({ instanceId, err: error }, "The rules for a VM's open ports could not be put back");
      }
    }
  }
}
