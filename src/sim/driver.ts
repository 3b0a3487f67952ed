// Instances without a hypervisor or container engine, for scale and for faults: the same interface and the same agent above
// it. What "runs" is a file each, so it outlives a killed agent as a QEMU does. It never stands in for the real thing outside
// tests and benchmarks.

import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Duplex, PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Counters, type Driver, DriverFailure, type Found, type Progress } from '../agent/driver.ts';
import type { BackupNews, VmSpec } from '../agent/vm/driver.ts';
import type { Act } from '../model/act.ts';
import type { VmChannel } from '../model/console.ts';
import { Turns } from '../model/turns.ts';
import type { Entropy } from '../model/world.ts';

/** How the simulation behaves. Chances are from 0 to 1. */
export interface Behaviour {
  /** How long a VM takes to come up. */
  bootMs: number;
  /** How long erasing one takes. */
  eraseMs: number;
  /** Chance that a start fails, but would succeed on another attempt. */
  startFailureChance: number;
  /** Chance that an image can't be had, for good. */
  imageFailureChance: number;
  /** Chance that a VM's hypervisor dies within {@link deathMsMax} of its start. */
  deathChance?: number;
  /** Notes every start and erasure in a journal, which a checker can hold against what was ordered. */
  journal?: boolean;
}

/** A VM that is to die does so within this time of its start. */
const deathMsMax = 200;
const journalName = 'journal';

/** What the simulation needs to know of an instance, whatever else is said of it. */
interface Described {
  instanceId: string;
  address: string;
  bootNumber?: number;
  vcpus: number;
  memoryMib: number;
}

/** What a simulated VM is, on disk and in memory. */
export interface SimulatedVm<Spec extends Described = VmSpec> {
  spec: Spec;
  power: Found['power'];
  /** How often it was started, and how often its hypervisor died: what nobody restarts has one start more than deaths. */
  starts: number;
  deaths: number;
  /** How often its plug was pulled while it ran. */
  halts?: number;
  /** When its present run began, on the clock that counts from the machine's boot and that all processes share. */
  startedAtMs?: number;
  /** What its present run was started with. */
  size?: { vcpus: number; memoryMib: number };
}

/** Runs simulated instances. */
export class SimulatedDriver<Spec extends Described = VmSpec> implements Driver<Spec> {
  readonly #directory: string;
  readonly #behaviour: Behaviour;
  readonly #entropy: Entropy;
  readonly #vms = new Map<string, SimulatedVm<Spec>>();
  /** A death comes at any time, also while the ports of the same VM are being changed. */
  readonly #turns = new Map<string, Turns>();
  readonly #listeners: ((instanceId: string) => void)[] = [];
  readonly #deaths = new Set<NodeJS.Timeout>();

  constructor(directory: string, behaviour: Behaviour, entropy: Entropy) {
    this.#directory = directory;
    this.#behaviour = behaviour;
    this.#entropy = entropy;
  }

  /** Finds what runs since an earlier agent. Call it once, first. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    // Half-written files of an agent that was killed.
    for (const name of await readdir(this.#directory)) {
      if (name.endsWith('.new')) await rm(join(this.#directory, name), { force: true });
    }
    for (const [id, vm] of await readSimulatedVms<Spec>(this.#directory)) this.#vms.set(id, vm);
  }

  async observe(): Promise<Found[]> {
    return [...this.#vms].map(([instanceId, vm]) => foundOf(instanceId, vm));
  }

  async inspect(instanceId: string): Promise<Found | undefined> {
    const vm = this.#vms.get(instanceId);
    return vm && foundOf(instanceId, vm);
  }

  async run(spec: Spec, progress: (step: Progress) => void, signal: AbortSignal): Promise<void> {
    const { instanceId } = spec;
    const starting = this.#vms.get(instanceId)?.power !== 'running';
    if (starting) {
      if (this.#happens(this.#behaviour.imageFailureChance)) {
        throw this.imageFailure();
      }
      progress({ kind: 'vm.start', message: 'Starts.' });
      await sleep(this.#behaviour.bootMs, undefined, { signal });
      if (this.#happens(this.#behaviour.startFailureChance)) {
        throw new DriverFailure('vm.start-failed', 'The hypervisor ended at once.', false);
      }
      const holder = [...this.#vms.values()].find(
        ({ spec: other, power }) => other.address === spec.address && power === 'running',
      );
      if (holder && holder.spec.instanceId !== instanceId) {
        throw new DriverFailure(
          'vm.address-taken',
          `The address ${spec.address} is in use by another VM on this host.`,
          false,
        );
      }
    }
    await this.#inTurn(instanceId, async () => {
      const before = this.#vms.get(instanceId) ?? { starts: 0, deaths: 0, power: 'running' };
      // One that died while its ports were to be changed stays dead; its worker hears of it.
      if (!starting) return this.#write({ ...before, spec });
      await this.#note('start', instanceId);
      const { vcpus, memoryMib } = spec;
      const run = { power: 'running' as const, startedAtMs: sinceBootMs(), size: { vcpus, memoryMib } };
      await this.#write({ ...before, ...run, spec, starts: before.starts + 1 });
    });
    if (starting && this.#happens(this.#behaviour.deathChance ?? 0)) {
      const afterMs = Math.round(this.#fraction() * deathMsMax);
      const timer = setTimeout(() => {
        this.#deaths.delete(timer);
        void this.lose(instanceId, 'dead');
      }, afterMs).unref();
      this.#deaths.add(timer);
    }
  }

  async halt(instanceId: string): Promise<void> {
    await this.#inTurn(instanceId, async () => {
      const vm = this.#vms.get(instanceId);
      if (!vm || vm.power === 'off') return;
      await this.#note('halt', instanceId);
      await this.#write({ ...vm, power: 'off', halts: (vm.halts ?? 0) + (vm.power === 'running' ? 1 : 0) });
    });
  }

  /** A simulated guest's serial port says what is typed into it; it has no screen. */
  async console(instanceId: string, channel: VmChannel): Promise<Duplex> {
    if (!this.#vms.has(instanceId)) throw new DriverFailure('vm.gone', 'The VM is not on this host.', false);
    if (channel === 'vnc') throw new DriverFailure('vm.no-screen', 'A simulated VM has no screen.', false);
    return new PassThrough();
  }

  /** A guest that is simulated does what its power button asks for, and nothing else. */
  async act(instanceId: string, what: Act): Promise<boolean> {
    if (this.#vms.get(instanceId)?.power !== 'running') return false;
    await this.#inTurn(instanceId, () => this.#note(what.kind, instanceId));
    if (what.kind === 'powerdown') await this.lose(instanceId, 'off');
    return true;
  }

  /** Simulated disks are nothing but a part of what their VM should be. */
  async settleDisks({ eraseDisks = [] }: VmSpec): Promise<string[]> {
    return eraseDisks.map(({ id }) => id);
  }

  /** A simulated disk is backed up by saying so. */
  async settleBackups({ disks }: VmSpec): Promise<BackupNews> {
    return {
      ready: disks.flatMap(({ backups = [] }) => backups),
      failed: [],
      erased: disks.flatMap(({ eraseBackups = [] }) => eraseBackups),
    };
  }

  async erase(instanceId: string): Promise<void> {
    if (!this.#vms.has(instanceId)) return;
    await this.#inTurn(instanceId, async () => {
      await this.#note('erase', instanceId);
      await sleep(this.#behaviour.eraseMs);
      await rm(this.#file(instanceId), { force: true });
      this.#vms.delete(instanceId);
    });
    this.#turns.delete(instanceId);
  }

  /** A simulated guest keeps half of its processors busy and writes a page a second; nobody counts its network. */
  async usage(): Promise<Counters[]> {
    return [...this.#vms].flatMap(([instanceId, { power, spec, size = spec, startedAtMs, starts }]) => {
      if (power !== 'running' || startedAtMs === undefined) return [];
      const seconds = (sinceBootMs() - startedAtMs) / 1_000;
      return {
        ...{ instanceId, run: String(starts), cpuSeconds: (seconds * size.vcpus) / 2 },
        memoryBytes: size.memoryMib * 1024 * 1024,
        ...{
          diskReadBytes: 0,
          diskReads: 0,
          diskWriteBytes: Math.round(seconds * 4_096),
          diskWrites: Math.round(seconds),
        },
        ...{ networkReceiveBytes: null, networkSendBytes: null },
      };
    });
  }

  async strays(known: ReadonlySet<string>): Promise<string[]> {
    return [...this.#vms.keys()].filter((id) => !known.has(id)).map((id) => `vm ${id}`);
  }

  onChange(listener: (instanceId: string) => void): void {
    this.#listeners.push(listener);
  }

  /** No VM dies any more; what is being written is written when this resolves. */
  async close(): Promise<void> {
    for (const timer of this.#deaths) clearTimeout(timer);
    this.#deaths.clear();
    await Promise.all([...this.#turns.values()].map((turns) => turns.run(async () => {})));
  }

  /** Makes the hypervisor of a VM that runs die, or its guest switch itself off. */
  async lose(instanceId: string, power: 'dead' | 'off'): Promise<void> {
    await this.#inTurn(instanceId, async () => {
      const vm = this.#vms.get(instanceId);
      // One that was switched off before its time to die had come is not there to die.
      if (vm?.power === 'running') await this.#write({ ...vm, power, deaths: vm.deaths + (power === 'dead' ? 1 : 0) });
    });
    for (const listener of this.#listeners) listener(instanceId);
  }

  /** How it is told that an image can't be had. */
  protected imageFailure(): DriverFailure {
    return new DriverFailure('image.http', 'The image server answered 404 Not Found.', true);
  }

  async #write(vm: SimulatedVm<Spec>): Promise<void> {
    const file = this.#file(vm.spec.instanceId);
    await writeFile(`${file}.new`, JSON.stringify(vm));
    await rename(`${file}.new`, file);
    this.#vms.set(vm.spec.instanceId, vm);
  }

  #file(instanceId: string): string {
    return join(this.#directory, `${instanceId}.json`);
  }

  /** Written before it is done: a killed agent may have noted what it did not do, but has done nothing unnoted. */
  async #note(act: JournalLine['act'], instanceId: string): Promise<void> {
    if (this.#behaviour.journal) await appendFile(join(this.#directory, journalName), `${act} ${instanceId}\n`);
  }

  #inTurn(instanceId: string, work: () => Promise<void>): Promise<void> {
    const turns = this.#turns.get(instanceId) ?? new Turns(1);
    this.#turns.set(instanceId, turns);
    return turns.run(work);
  }

  #fraction(): number {
    return (this.#entropy.bytes(1)[0] ?? 0) / 256;
  }

  #happens(chance: number): boolean {
    return chance > 0 && this.#fraction() < chance;
  }
}

/** One line of a simulated world's journal. */
export interface JournalLine {
  act: 'start' | 'halt' | 'erase' | Act['kind'];
  instanceId: string;
}

/** Everything that a simulated world has noted, oldest first; nothing where no journal was asked for. */
export async function readJournal(directory: string): Promise<JournalLine[]> {
  const text = await readFile(join(directory, journalName), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [act, instanceId] = line.split(' ') as [JournalLine['act'], string];
      return { act, instanceId };
    });
}

/** What runs in a simulated world, read from its folder: the truth that a checker compares with. */
export async function readSimulatedVms<Spec extends Described = VmSpec>(
  directory: string,
): Promise<Map<string, SimulatedVm<Spec>>> {
  const vms = new Map<string, SimulatedVm<Spec>>();
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json')) continue;
    const text = await readFile(join(directory, name), 'utf8').catch(() => null);
    if (text) vms.set(name.slice(0, -'.json'.length), JSON.parse(text) as SimulatedVm<Spec>);
  }
  return vms;
}

function foundOf(instanceId: string, { power, spec, startedAtMs, size }: SimulatedVm<Described>): Found {
  const runs = power === 'running' && startedAtMs !== undefined;
  return {
    instanceId,
    power,
    bootNumber: spec.bootNumber ?? 1,
    address: spec.address,
    ...(runs ? { runningMs: Math.max(0, sinceBootMs() - startedAtMs) } : {}),
    ...(runs && size ? { size } : {}),
  };
}

const sinceBootMs = () => Number(process.hrtime.bigint() / 1_000_000n);
