// VMs without a hypervisor, for scale and for faults: the same interface and the same agent above it. What "runs" is a file
// each, so it outlives a killed agent as a QEMU does. It never stands in for a real VM outside tests and benchmarks.

import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type VmDriver, VmFailure, type VmFound, type VmProgress, type VmSpec } from '../agent/vm/driver.ts';
import type { PortRule } from '../model/port-rule.ts';
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
}

/** What a simulated VM is, on disk and in memory. */
export interface SimulatedVm {
  spec: VmSpec;
  power: VmFound['power'];
}

/** Runs simulated VMs. */
export class SimulatedDriver implements VmDriver {
  readonly #directory: string;
  readonly #behaviour: Behaviour;
  readonly #entropy: Entropy;
  readonly #vms = new Map<string, SimulatedVm>();
  readonly #listeners: ((instanceId: string) => void)[] = [];

  constructor(directory: string, behaviour: Behaviour, entropy: Entropy) {
    this.#directory = directory;
    this.#behaviour = behaviour;
    this.#entropy = entropy;
  }

  /** Finds what runs since an earlier agent. Call it once, first. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    for (const [id, vm] of await readSimulatedVms(this.#directory)) this.#vms.set(id, vm);
  }

  async observe(): Promise<VmFound[]> {
    return [...this.#vms].map(([instanceId, vm]) => foundOf(instanceId, vm));
  }

  async inspect(instanceId: string): Promise<VmFound | undefined> {
    const vm = this.#vms.get(instanceId);
    return vm && foundOf(instanceId, vm);
  }

  async run(spec: VmSpec, progress: (step: VmProgress) => void, signal: AbortSignal): Promise<void> {
    const known = this.#vms.get(spec.instanceId);
    if (known?.power !== 'running') {
      if (this.#happens(this.#behaviour.imageFailureChance)) {
        throw new VmFailure('image.http', `The image server answered 404 Not Found for ${spec.imageUrl}.`, true);
      }
      progress({ kind: 'vm.start', message: 'Starts.' });
      await sleep(this.#behaviour.bootMs, undefined, { signal });
      if (this.#happens(this.#behaviour.startFailureChance)) {
        throw new VmFailure('vm.start-failed', 'The hypervisor ended at once.', false);
      }
      const holder = [...this.#vms.values()].find(
        ({ spec: other, power }) => other.address === spec.address && power === 'running',
      );
      if (holder && holder.spec.instanceId !== spec.instanceId) {
        throw new VmFailure(
          'vm.address-taken',
          `The address ${spec.address} is in use by another VM on this host.`,
          false,
        );
      }
    }
    await this.#write({ spec, power: 'running' });
  }

  async erase(instanceId: string): Promise<void> {
    if (!this.#vms.has(instanceId)) return;
    await sleep(this.#behaviour.eraseMs);
    await rm(this.#file(instanceId), { force: true });
    this.#vms.delete(instanceId);
  }

  async strays(known: ReadonlySet<string>): Promise<string[]> {
    return [...this.#vms.keys()].filter((id) => !known.has(id)).map((id) => `vm ${id}`);
  }

  onChange(listener: (instanceId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {}

  /** The ports that are open on a VM. */
  openPorts(instanceId: string): readonly PortRule[] {
    return this.#vms.get(instanceId)?.spec.portRules ?? [];
  }

  /** Makes a VM's hypervisor die, or its guest switch itself off. */
  async lose(instanceId: string, power: 'dead' | 'off'): Promise<void> {
    const vm = this.#vms.get(instanceId);
    if (!vm) return;
    await this.#write({ ...vm, power });
    for (const listener of this.#listeners) listener(instanceId);
  }

  async #write(vm: SimulatedVm): Promise<void> {
    const file = this.#file(vm.spec.instanceId);
    await writeFile(`${file}.new`, JSON.stringify(vm));
    await rename(`${file}.new`, file);
    this.#vms.set(vm.spec.instanceId, vm);
  }

  #file(instanceId: string): string {
    return join(this.#directory, `${instanceId}.json`);
  }

  #happens(chance: number): boolean {
    return chance > 0 && (this.#entropy.bytes(1)[0] ?? 0) / 256 < chance;
  }
}

/** What runs in a simulated world, read from its folder: the truth that a checker compares with. */
export async function readSimulatedVms(directory: string): Promise<Map<string, SimulatedVm>> {
  const vms = new Map<string, SimulatedVm>();
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json')) continue;
    const text = await readFile(join(directory, name), 'utf8').catch(() => null);
    if (text) vms.set(name.slice(0, -'.json'.length), JSON.parse(text) as SimulatedVm);
  }
  return vms;
}

function foundOf(instanceId: string, { power, spec }: SimulatedVm): VmFound {
  return { instanceId, power, address: spec.address };
}
