// Runs containers on the Docker Engine of this host, through its API. What is there is found by its labels; what the agent
// must know of a container beyond what the Engine can tell it is a small file each.

import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { RegistryAuth } from '../../api/agent/contract/secret.ts';
import type { Ipv4Range } from '../../model/cidr.ts';
import type { LogLine } from '../../model/log.ts';
import { type Counters, DriverAway, DriverFailure, type Found, type Progress } from '../driver.ts';
import { containerOptions, specHash, specLabel } from './create.ts';
import { DiskWatch, type Watched, watchedOf } from './disk-watch.ts';
import type { Doors } from './doors.ts';
import type { ContainerDriver, ContainerSpec, LogQuery } from './driver.ts';
import {
  Engine,
  type EngineInfo,
  EngineRefused,
  failureOf,
  isHalfStarted,
  isNotedAsTaken,
  isPortTaken,
} from './engine.ts';
import type { ExecRequest, Execution } from './exec.ts';
import { foundOf } from './found.ts';
import { Images } from './images.ts';
import { lastLines, lastWords } from './last-words.ts';
import { readLogs } from './logs.ts';
import { Memories, type ScriptMemory } from './memory.ts';
import { instanceLabel, nameOf, ownerLabel } from './names.ts';
import { type NetworkPlace, Networks } from './network.ts';
import { ensureProxies, killProxies } from './proxies.ts';
import { RegistryGuard } from './registry-guard.ts';
import { killRemains } from './remains.ts';
import { execIn } from './run-command.ts';
import { runStartupScript } from './script.ts';
import { countContainers, type Running } from './usage.ts';
import { type Death, Witness } from './witness.ts';

/** What the driver is made of. */
export interface DockerParts {
  socketPath: string;
  /** Its own folder. */
  directory: string;
  /** Tells what is this agent's from what is another's on the same Engine. */
  owner: string;
  /** Networks of containers are cut from it. */
  networkRange: Ipv4Range;
  /** The wall around containers; it must stand before one starts. */
  walls: { admit(): Promise<void> };
  /** The ways into a container beside its TCP ports. */
  doors: Pick<Doors, 'open' | 'close'>;
  /** `HOST:PORT` of registries that may have a private address. */
  allowHosts: readonly string[];
  /** The login that goes with a container's image. */
  registryAuth(instanceId: string): Promise<RegistryAuth | null>;
  pullDeadlineMs?: number;
  scriptWaitMs?: number;
}

const defaultPullDeadlineMs = 15 * 60 * 1000;
const defaultScriptWaitMs = 30_000;
/** The word of how a container ended comes a moment after it has. */
const witnessWaitMs = 300;
/** How long the Engine may take to note that a container has ended whose processes are gone. */
const deathNoticeMs = 500;
const pollMs = 20;

/** Runs containers on a Docker Engine. */
export class DockerDriver implements ContainerDriver {
  readonly #parts: DockerParts;
  readonly #engine: Engine;
  readonly #images: Images;
  readonly #networks: Networks;
  readonly #witness: Witness;
  readonly #disks: DiskWatch;
  readonly #memories: Memories;
  readonly #listeners: ((instanceId: string) => void)[] = [];
  /** Those that were ever run or seen here, and not erased. */
  readonly #known = new Set<string>();
  /** Those that ran when they were last seen, by instance: every look at the host sees each. */
  readonly #running = new Map<string, Running>();
  #info: EngineInfo | null = null;

  constructor(parts: DockerParts) {
    this.#parts = parts;
    this.#engine = new Engine(parts.socketPath);
    this.#memories = new Memories(parts.directory);
    this.#images = new Images({
      engine: this.#engine,
      memories: this.#memories,
      guard: new RegistryGuard(parts.allowHosts),
      pullDeadlineMs: parts.pullDeadlineMs ?? defaultPullDeadlineMs,
      registryAuth: parts.registryAuth,
    });
    this.#networks = new Networks(this.#engine, parts.owner, parts.networkRange);
    const changed = (instanceId: string) => {
      for (const listener of this.#listeners) listener(instanceId);
    };
    this.#witness = new Witness(this.#engine, parts.owner, changed, () => this.#known.forEach(changed));
    this.#disks = new DiskWatch({
      list: () => this.#watched(),
      exceeded: (instanceId, gibMax) => this.#endForDisk(instanceId, gibMax),
    });
  }

  /** Remembers, and begins to watch. Call it once, first; the Engine need not answer yet. */
  async open(): Promise<void> {
    await this.#memories.open();
    this.#witness.start();
    this.#disks.start();
  }

  /** What the Engine says of itself; null while it does not answer. */
  async info(): Promise<EngineInfo | null> {
    this.#info = await this.#engine.info();
    return this.#info;
  }

  async observe(): Promise<Found[]> {
    const list = await this.#engine.ask((docker) => docker.listContainers({ all: true, filters: this.#own() }));
    const ids = list.flatMap(({ Labels }) => Labels[instanceLabel] ?? []);
    return (await Promise.all(ids.map((id) => this.inspect(id)))).flatMap((found) => found ?? []);
  }

  async inspect(instanceId: string): Promise<Found | undefined> {
    const container = await this.#find(instanceId);
    this.#noteRunning(instanceId, container);
    if (!container) return undefined;
    this.#known.add(instanceId);
    return foundOf(instanceId, container, {
      ended: this.#memories.get(instanceId).ended,
      death: () => this.#deathOf(instanceId, container.State.StartedAt),
      lastLine: async () => (await lastLines(this.#engine, instanceId, 1))[0]?.line,
    });
  }

  async run(spec: ContainerSpec, progress: (step: Progress) => void, signal: AbortSignal): Promise<void> {
    const { instanceId } = spec;
    const { ended } = this.#memories.get(instanceId);
    if (ended) throw new DriverFailure(ended.code, `The container was ended: ${ended.reason}.`, true);
    this.#known.add(instanceId);
    try {
      const before = await this.#find(instanceId);
      if (!before?.State.Running) await this.#start(spec, before, progress, signal);
      signal.throwIfAborted();
      const place = await this.#networks.find(instanceId);
      if (place && this.#memories.get(instanceId).hasOwnProxies) await ensureProxies(spec, place.ip);
      if (place) await this.#parts.doors.open(spec, place.ip, progress);
      await this.#runScript(spec, progress, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = failureOf(error);
      const isFinal = failure instanceof DriverAway || (failure instanceof DriverFailure && failure.permanent);
      if (isFinal || !this.#witness.isUnsettled) throw failure;
      throw new DriverAway('The container engine has not settled yet.', { cause: failure });
    }
  }

  async #start(
    spec: ContainerSpec,
    before: Docker.ContainerInspectInfo | undefined,
    progress: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { instanceId } = spec;
    await this.#parts.walls.admit();
    const place = await this.#networks.ensure(instanceId);
    if (!before || !isRight(before, spec, place)) {
      if (before) await this.#removeContainer(instanceId);
      const info = this.#info ?? (await this.info());
      const labels = { [instanceLabel]: instanceId, [ownerLabel]: this.#parts.owner };
      const make = async (image: string) => {
        signal.throwIfAborted();
        const publishes = !this.#memories.get(instanceId).hasOwnProxies;
        const ground = { image, place, labels, publishes, hasQuota: info?.diskQuota ?? false };
        const options = containerOptions(spec, ground);
        await this.#engine.ask((docker) => docker.createContainer(options));
      };
      await this.#images.use(spec, make, progress, signal);
    }
    signal.throwIfAborted();
    progress({ kind: 'container.start', message: 'Starts.' });
    try {
      await this.#engine.ask((docker) => docker.getContainer(nameOf(instanceId)).start());
    } catch (error) {
      if (isHalfStarted(error)) await this.#clearHalfStarted(instanceId);
      if (isPortTaken(error)) await this.#freePorts(spec, place, error);
      throw error;
    }
  }

  /** Clears away what keeps a container from being started; one that never ran is made anew, because its name in the Engine is spoilt. */
  async #clearHalfStarted(instanceId: string): Promise<void> {
    const container = await this.#find(instanceId);
    if (!container) return;
    await killRemains(container.Id);
    if (hasNeverRun(container)) await this.#removeContainer(instanceId);
  }

  /**
   * The address is the container's alone, so what holds its ports is most likely what a killed Engine has left of it: programs,
   * or a note of the Engine's own that goes only with the Engine. Then the container is made anew with ports that are none of
   * the Engine's.
   */
  async #freePorts({ instanceId, address }: ContainerSpec, { ip }: NetworkPlace, error: unknown): Promise<void> {
    await killProxies(ip, address);
    if (!isNotedAsTaken(error)) return;
    await this.#memories.note(instanceId, { hasOwnProxies: true });
    await this.#removeContainer(instanceId);
  }

  /** Runs the startup script, once for each start of the container. */
  async #runScript(spec: ContainerSpec, tell: (step: Progress) => void, signal: AbortSignal): Promise<void> {
    const { instanceId, startupScript: script } = spec;
    const state = script === null ? undefined : (await this.#find(instanceId))?.State;
    if (script === null || !state?.Running) return;
    const run = {
      ...{ instanceId, script, tell, startedAt: state.StartedAt },
      memory: this.#memories.get(instanceId).script,
      note: async (memory: ScriptMemory) => {
        if (this.#known.has(instanceId)) await this.#memories.note(instanceId, { script: memory });
      },
      waitMs: this.#parts.scriptWaitMs ?? defaultScriptWaitMs,
    };
    try {
      await runStartupScript(this.#engine, run, signal);
    } catch (error) {
      if (signal.aborted || !(error instanceof DriverFailure)) throw error;
      // A container that ends takes its script along, and the Engine notes the container's end last.
      const found = await within(
        deathNoticeMs,
        () => this.inspect(instanceId),
        (one) => one?.power !== 'running',
      );
      if (found?.power === 'running') throw error;
      // It has done what it is for, and the script is of no use any more.
      if (found?.power === 'off') return;
      // Whatever the script has met, it was the end of its container.
      const why = `The container ended while it was starting: ${found?.reason ?? 'it is not there any more'}.`;
      throw new DriverFailure(found?.failureCode ?? 'CONTAINER_EXITED', why, found?.failureCode !== undefined);
    }
  }

  async erase(instanceId: string, graceMs: number, progress: (step: Progress) => void): Promise<void> {
    const container = await this.#find(instanceId);
    if (container?.State.Running) {
      const stop = (docker: Docker) => docker.getContainer(nameOf(instanceId)).stop({ t: Math.ceil(graceMs / 1000) });
      await this.#engine.find(stop, graceMs).catch(endedMeanwhile);
    }
    const said = container && (await lastWords(this.#engine, instanceId));
    if (said) progress(said);
    await this.#parts.doors.close(instanceId);
    await this.#removeContainer(instanceId);
    const place = await this.#networks.find(instanceId);
    if (place) await killProxies(place.ip);
    await this.#networks.remove(instanceId);
    await this.#images.release(instanceId);
    this.#known.delete(instanceId);
    this.#running.delete(instanceId);
    await this.#memories.forget(instanceId);
  }

  async usage(): Promise<Counters[]> {
    return countContainers([...this.#running.values()]);
  }

  async strays(known: ReadonlySet<string>): Promise<string[]> {
    const filters = this.#own();
    const containers = await this.#engine.ask((docker) => docker.listContainers({ all: true, filters }));
    const networks = await this.#engine.ask((docker) => docker.listNetworks({ filters }));
    const label = (labels: Record<string, string> | undefined) => labels?.[instanceLabel] ?? '';
    return [
      ...containers.map(({ Labels }) => ['container', label(Labels)] as const),
      ...networks.map(({ Labels }) => ['network', label(Labels)] as const),
    ].flatMap(([what, instanceId]) => (known.has(instanceId) ? [] : [`${what} ${instanceId}`]));
  }

  onChange(listener: (instanceId: string) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    await Promise.all([this.#witness.stop(), this.#disks.stop()]);
  }

  logs(instanceId: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine> {
    return readLogs(this.#engine, instanceId, query, signal);
  }

  /** Runs a command in a container. */
  exec(instanceId: string, request: ExecRequest): Promise<Execution> {
    return execIn(this.#engine, instanceId, request);
  }

  /** The address that a container has in its own network, where only this host reaches it. */
  async addressOf(instanceId: string): Promise<string | undefined> {
    return (await this.#networks.find(instanceId))?.ip;
  }

  #noteRunning(instanceId: string, container: Docker.ContainerInspectInfo | undefined): void {
    if (!container?.State.Running) {
      this.#running.delete(instanceId);
      return;
    }
    const { Id, State } = container;
    this.#running.set(instanceId, { instanceId, id: Id, pid: State.Pid, startedAt: State.StartedAt });
  }

  #own(): { label: string[] } {
    return { label: [`${ownerLabel}=${this.#parts.owner}`] };
  }

  /** The container, if it is there and this agent's. */
  async #find(instanceId: string): Promise<Docker.ContainerInspectInfo | undefined> {
    const found = await this.#engine.find((docker) => docker.getContainer(nameOf(instanceId)).inspect());
    return found?.Config.Labels[ownerLabel] === this.#parts.owner ? found : undefined;
  }

  async #removeContainer(instanceId: string): Promise<void> {
    const container = await this.#find(instanceId);
    if (!container) return;
    const remove = () =>
      this.#engine.find((docker) => docker.getContainer(nameOf(instanceId)).remove({ force: true, v: true }));
    await remove().catch((error: unknown) => {
      // "Removal is already in progress": the Engine is at it since an earlier call.
      if (!(error instanceof EngineRefused && error.status === 409)) throw error;
    });
    // The Engine may have been killed while it started it, and then what has come of that runs on for nobody.
    if (!container.State.Running && hasNeverRun(container)) await killRemains(container.Id);
  }

  async #deathOf(instanceId: string, startedAt: string): Promise<Death | undefined> {
    return within(
      witnessWaitMs,
      async () => this.#witness.deathOf(instanceId, startedAt),
      (death) => death !== undefined,
    );
  }

  /** Those whose writes nobody else bounds. */
  async #watched(): Promise<Watched[]> {
    const info = this.#info ?? (await this.info());
    const list = await this.#engine.ask((docker) => docker.listContainers({ filters: this.#own() }));
    const found = await Promise.all(
      list.map(({ Id }) => this.#engine.find((docker) => docker.getContainer(Id).inspect())),
    );
    return found.flatMap((one) => (one && watchedOf(one, info?.diskQuota ?? false)) ?? []);
  }

  async #endForDisk(instanceId: string, gibMax: number): Promise<void> {
    const reason = `it has filled its disk of ${gibMax} GiB`;
    await this.#memories.note(instanceId, { ended: { code: 'NO_SPACE', reason } });
    await this.#engine.find((docker) => docker.getContainer(nameOf(instanceId)).kill()).catch(endedMeanwhile);
  }
}

/** Whether a container is what it should be made as; one whose network was removed meanwhile can't start any more. */
function isRight(
  { Config, State, NetworkSettings }: Docker.ContainerInspectInfo,
  spec: ContainerSpec,
  place: NetworkPlace,
): boolean {
  const network = NetworkSettings.Networks[place.name]?.NetworkID;
  // Made and never started it has none yet; taken out of its network it has no word of it any more.
  const hasNetwork = network === '' || network === place.id;
  return Config.Labels[specLabel] === specHash(spec) && State.Status !== 'dead' && hasNetwork;
}

/** The container has ended by itself meanwhile. */
function endedMeanwhile(error: unknown): void {
  if (!(error instanceof EngineRefused && [304, 409].includes(error.status))) throw error;
}

/** Whether the Engine knows of no start of a container. */
const hasNeverRun = ({ State }: Docker.ContainerInspectInfo): boolean => State.StartedAt.startsWith('0001-');

/** Looks until what is seen is right, or the time is up. */
async function within<Seen>(ms: number, look: () => Promise<Seen>, isRight: (seen: Seen) => boolean): Promise<Seen> {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (isRight(seen) || performance.now() > end) return seen;
    await sleep(pollMs);
  }
}
