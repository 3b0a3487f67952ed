// The host's drivers as one, for the agent, which does not care what an instance is. One driver that does not answer leaves
// the other's instances alone: what was last seen of its own counts on.

import type { Duplex } from 'node:stream';
import type { OfferedConsole } from '../api/agent/contract/console.ts';
import type { Assignment } from '../api/agent/contract/order.ts';
import type { ContainerDriver } from './container/driver.ts';
import { loginShell } from './container/exec.ts';
import { ExecStream } from './container/exec-stream.ts';
import { type Counters, type Driver, DriverAway, DriverFailure, type Found, type Progress } from './driver.ts';
import type { VmDriver } from './vm/driver.ts';

/** The drivers of one host; `container` is null where no containers can run. */
export interface DriverPair {
  vm: VmDriver;
  container: ContainerDriver | null;
}

/** What terminals of web pages and of today are. */
const terminalKind = 'xterm-256color';

/** What is known of an instance's kind; undefined for one that no order was ever taken about. */
export type KindOf = (instanceId: string) => 'vm' | 'container' | undefined;

/** What both kinds of a host's instances have in common. */
export const partsOf = ({ vm, container }: Assignment) => vm ?? container;

/** Runs instances of every kind. */
export class Drivers implements Driver<Assignment> {
  readonly #vm: VmDriver;
  readonly #container: ContainerDriver | null;
  readonly #kindOf: KindOf;
  #lastContainers: Found[] = [];
  #lastStrays: string[] = [];

  constructor({ vm, container }: DriverPair, kindOf: KindOf) {
    this.#vm = vm;
    this.#container = container;
    this.#kindOf = kindOf;
  }

  async observe(): Promise<Found[]> {
    const containers = await unlessAway(this.#container?.observe());
    if (containers) this.#lastContainers = containers;
    return [...(await this.#vm.observe()), ...this.#lastContainers];
  }

  async inspect(instanceId: string): Promise<Found | undefined> {
    const kind = this.#kindOf(instanceId);
    if (kind === 'container') return this.#containers().inspect(instanceId);
    const vm = await this.#vm.inspect(instanceId);
    return vm || kind === 'vm' ? vm : this.#container?.inspect(instanceId);
  }

  async run(assignment: Assignment, progress: (step: Progress) => void, signal: AbortSignal): Promise<void> {
    const { instanceId, vm, container } = assignment;
    if (vm) await this.#vm.run({ instanceId, ...vm }, progress, signal);
    else if (container) await this.#containers().run({ instanceId, ...container }, progress, signal);
    else throw new DriverFailure('host.agent', 'The agent of this host is too old for this kind of instance.', true);
  }

  /** Pulls the plug of a VM. */
  halt(instanceId: string): Promise<void> {
    return this.#vm.halt(instanceId);
  }

  /** Does something to a guest that runs. @returns false where none runs */
  act(...asked: Parameters<VmDriver['act']>): Promise<boolean> {
    return this.#vm.act(...asked);
  }

  /** Connects to a VM's console, or runs a command. @throws DriverFailure when there is nothing to connect to */
  async console({ instanceId, channel, exec }: OfferedConsole): Promise<Duplex> {
    if (channel !== 'exec') return this.#vm.console(instanceId, channel);
    const { command = null, terminal = null } = exec ?? {};
    const tty = terminal && { ...terminal, term: terminalKind };
    const asked = { command: command ?? loginShell, tty, environment: {} };
    return new ExecStream(await this.#containers().exec(instanceId, asked));
  }

  /** Erases disks that a VM has no more. @returns those of which nothing is left */
  settleDisks(...asked: Parameters<VmDriver['settleDisks']>): Promise<string[]> {
    return this.#vm.settleDisks(...asked);
  }

  /** Makes and erases backups of a VM's disks. */
  settleBackups(...asked: Parameters<VmDriver['settleBackups']>): ReturnType<VmDriver['settleBackups']> {
    return this.#vm.settleBackups(...asked);
  }

  async erase(instanceId: string, graceMs: number, progress: (step: Progress) => void): Promise<void> {
    const kind = this.#kindOf(instanceId);
    if (kind !== 'container') await this.#vm.erase(instanceId, graceMs, progress);
    if (kind !== 'vm') await this.#container?.erase(instanceId, graceMs, progress);
  }

  async usage(): Promise<Counters[]> {
    const both = [this.#vm.usage(), this.#container?.usage()].map(unlessAway<Counters[]>);
    return (await Promise.all(both)).flatMap((counted) => counted ?? []);
  }

  async strays(known: ReadonlySet<string>): Promise<string[]> {
    const containers = await unlessAway(this.#container?.strays(known));
    if (containers) this.#lastStrays = containers;
    return [...(await this.#vm.strays(known)), ...this.#lastStrays];
  }

  /** What a container has said. @throws DriverFailure when there is no such container */
  logs(...asked: Parameters<ContainerDriver['logs']>): ReturnType<ContainerDriver['logs']> {
    return this.#containers().logs(...asked);
  }

  onChange(listener: (instanceId: string) => void): void {
    this.#vm.onChange(listener);
    this.#container?.onChange(listener);
  }

  async close(): Promise<void> {
    await Promise.all([this.#vm.close(), this.#container?.close()]);
  }

  #containers(): ContainerDriver {
    if (this.#container) return this.#container;
    throw new DriverFailure('CONTAINER_CREATE_FAILED', 'This host runs no containers.', true);
  }
}

async function unlessAway<Result>(asked: Promise<Result> | undefined): Promise<Result | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DriverAway) return undefined;
    throw error;
  }
}
