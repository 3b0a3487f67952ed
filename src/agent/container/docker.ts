// Runs containers on the Docker Engine of this host, through its API. What is there is found by its labels; what the agent
// must know of a container beyond what the Engine can tell it is a small file each.

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { writeDurably } from '../../host/durable-file.ts';
import { processAgeMs } from '../../host/process.ts';
import type { Ipv4Range } from '../../model/cidr.ts';
import { type LogLine, lastWordsKind } from '../../model/log.ts';
import type { Found, Progress } from '../driver.ts';
import { containerOptions, specHash, specLabel } from './create.ts';
import { DiskWatch, type Watched } from './disk-watch.ts';
import type { Doors } from './doors.ts';
import type { ContainerDriver, ContainerSpec, LogQuery } from './driver.ts';
import { Engine, type EngineInfo, EngineRefused, failureOf } from './engine.ts';
import type { ExecRequest, Execution } from './exec.ts';
import { type ImageParts, Images } from './images.ts';
import { readLogs } from './logs.ts';
import { instanceLabel, nameOf, ownerLabel, privateImageOf } from './names.ts';
import { Networks } from './network.ts';
import { execIn } from './run-command.ts';
import { runStartupScript } from './script.ts';
import { Witness } from './witness.ts';

/** What the driver is made of. */
export interface DockerParts extends Pick<ImageParts, 'allowHosts' | 'registryAuth'> {
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
  pullDeadlineMs?: number;
  scriptWaitMs?: number;
}

const defaultPullDeadlineMs = 15 * 60 * 1000;
const defaultScriptWaitMs = 30_000;
const lastWordsLines = 200;
const lastWordsBytesMax = 64 * 1024;
/** The word of how a container ended comes a moment after it has. */
const witnessWaitMs = 300;

/** What the agent remembers of a container. */
interface Memory {
  /** The start (the Engine's time of it) whose startup script was run. */
  scriptedStart?: string;
  /** The image that was pulled for it. */
  pulledImage?: string;
  /** It was ended for this reason, for good. */
  ended?: { code: string; reason: string };
}

/** Runs containers on a Docker Engine. */
export class DockerDriver implements ContainerDriver {
  readonly #parts: DockerParts;
  readonly #engine: Engine;
  readonly #images: Images;
  readonly #networks: Networks;
  readonly #witness: Witness;
  readonly #disks: DiskWatch;
  readonly #memories = new Map<string, Memory>();
  readonly #listeners: ((instanceId: string) => void)[] = [];
  #info: EngineInfo | null = null;

  constructor(parts: DockerParts) {
    this.#parts = parts;
    this.#engine = new Engine(parts.socketPath);
    this.#images = new Images({
      engine: this.#engine,
      allowHosts: parts.allowHosts,
      pullDeadlineMs: parts.pullDeadlineMs ?? defaultPullDeadlineMs,
      registryAuth: parts.registryAuth,
    });
    this.#networks = new Networks(this.#engine, parts.owner, parts.networkRange);
    const changed = (instanceId: string) => {
      for (const listener of this.#listeners) listener(instanceId);
    };
    this.#witness = new Witness(this.#engine, parts.owner, changed, () => {
      for (const instanceId of this.#memories.keys()) changed(instanceId);
    });
    this.#disks = new DiskWatch(
      () => this.#watched(),
      (instanceId, gibMax) => this.#endForDisk(instanceId, gibMax),
    );
  }

  /** Remembers, and begins to watch. Call it once, first; the Engine need not answer yet. */
  async open(): Promise<void> {
    await mkdir(this.#parts.directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#parts.directory)) {
      if (!name.endsWith('.json')) continue;
      const text = await readFile(join(this.#parts.directory, name), 'utf8');
      this.#memories.set(name.slice(0, -'.json'.length), JSON.parse(text) as Memory);
    }
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
    if (!container) return undefined;
    const { State: state } = container;
    if (state.Running) {
      return { instanceId, power: 'running', runningMs: processAgeMs(state.Pid) ?? 0 };
    }
    if (state.Status === 'created') return { instanceId, power: 'off' };
    const ended = this.#memories.get(instanceId)?.ended;
    if (ended) return { instanceId, power: 'dead', reason: ended.reason, failureCode: ended.code };
    const death = await this.#deathOf(instanceId);
    if (!death || death.wasKilled) {
      const reason = 'the container engine has ended it, or was itself ended';
      return { instanceId, power: 'dead', reason, unwitnessed: true };
    }
    if (death.exitCode === 0) return { instanceId, power: 'off', reason: 'It ended by itself with exit code 0.' };
    const memoryMib = Math.round((container.HostConfig.Memory ?? 0) / 1024 ** 2);
    const reason = death.ranOutOfMemory
      ? `it ran out of its ${memoryMib} MiB of memory`
      : `it ended with exit code ${death.exitCode}${await this.#lastSaid(instanceId)}`;
    return { instanceId, power: 'dead', reason };
  }

  async run(spec: ContainerSpec, progress: (step: Progress) => void, signal: AbortSignal): Promise<void> {
    const { instanceId } = spec;
    try {
      const before = await this.#find(instanceId);
      if (!before?.State.Running) await this.#start(spec, before, progress, signal);
      signal.throwIfAborted();
      const ip = await this.addressOf(instanceId);
      if (ip !== undefined) await this.#parts.doors.open(spec, ip, progress);
      await this.#runScript(spec, progress);
    } catch (error) {
      if (signal.aborted) throw error;
      throw failureOf(error);
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
    const hash = specHash(spec);
    const isRight = before?.Config.Labels[specLabel] === hash && before.State.Status !== 'dead';
    if (before && !isRight) await this.#removeContainer(instanceId);
    const place = await this.#networks.ensure(instanceId);
    if (!isRight) {
      const image = await this.#images.ensure(spec, progress, signal);
      if (image.isNew) await this.#remember(instanceId, { pulledImage: image.name });
      signal.throwIfAborted();
      const info = this.#info ?? (await this.info());
      const labels = { [instanceLabel]: instanceId, [ownerLabel]: this.#parts.owner, [specLabel]: hash };
      const options = containerOptions(spec, { image: image.name, place, labels, hasQuota: info?.diskQuota ?? false });
      await this.#engine.ask((docker) => docker.createContainer(options));
    }
    progress({ kind: 'container.start', message: 'Starts.' });
    this.#witness.forget(instanceId);
    await this.#engine.ask((docker) => docker.getContainer(nameOf(instanceId)).start());
  }

  /** Runs the startup script, once for each start of the container. */
  async #runScript(spec: ContainerSpec, tell: (step: Progress) => void): Promise<void> {
    const { instanceId, startupScript } = spec;
    if (startupScript === null) return;
    const startedAt = (await this.#find(instanceId))?.State.StartedAt;
    if (startedAt === undefined || this.#memories.get(instanceId)?.scriptedStart === startedAt) return;
    await runStartupScript(this.#engine, instanceId, startupScript, {
      waitMs: this.#parts.scriptWaitMs ?? defaultScriptWaitMs,
      tell,
      begun: () => this.#remember(instanceId, { scriptedStart: startedAt }),
    });
  }

  async erase(instanceId: string, graceMs: number, progress: (step: Progress) => void): Promise<void> {
    const container = await this.#find(instanceId);
    if (container?.State.Running) {
      const seconds = Math.ceil(graceMs / 1000);
      await this.#engine
        .find((docker) => docker.getContainer(nameOf(instanceId)).stop({ t: seconds }))
        .catch(notModified);
    }
    if (container) await this.#tellLastWords(instanceId, progress);
    await this.#parts.doors.close(instanceId);
    await this.#removeContainer(instanceId);
    await this.#networks.remove(instanceId);
    await this.#images.remove(privateImageOf(instanceId));
    const { pulledImage } = this.#memories.get(instanceId) ?? {};
    if (pulledImage) await this.#images.remove(pulledImage).catch(inUse);
    this.#witness.forget(instanceId);
    this.#memories.delete(instanceId);
    await rm(this.#file(instanceId), { force: true });
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

  #own(): { label: string[] } {
    return { label: [`${ownerLabel}=${this.#parts.owner}`] };
  }

  /** The container, if it is there and this agent's. */
  async #find(instanceId: string): Promise<Docker.ContainerInspectInfo | undefined> {
    const found = await this.#engine.find((docker) => docker.getContainer(nameOf(instanceId)).inspect());
    return found?.Config.Labels[ownerLabel] === this.#parts.owner ? found : undefined;
  }

  async #removeContainer(instanceId: string): Promise<void> {
    const remove = () =>
      this.#engine.find((docker) => docker.getContainer(nameOf(instanceId)).remove({ force: true, v: true }));
    await remove().catch((error: unknown) => {
      // "Removal is already in progress": the Engine is at it since an earlier call.
      if (!(error instanceof EngineRefused && error.status === 409)) throw error;
    });
  }

  async #deathOf(instanceId: string) {
    const end = performance.now() + witnessWaitMs;
    for (;;) {
      const death = this.#witness.deathOf(instanceId);
      if (death || performance.now() > end) return death;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #lastSaid(instanceId: string): Promise<string> {
    const [last] = await this.#tail(instanceId, 1);
    return last ? `; the last that it said: ${last.line.slice(0, 200)}` : '';
  }

  async #tail(instanceId: string, tail: number): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    const query = { tail, since: null, follow: false };
    for await (const line of this.logs(instanceId, query, new AbortController().signal)) lines.push(line);
    return lines;
  }

  /** What it said last outlives it, so that whoever asks why it failed finds out. */
  async #tellLastWords(instanceId: string, tell: (step: Progress) => void): Promise<void> {
    const lines = await this.#tail(instanceId, lastWordsLines).catch(() => []);
    const kept: LogLine[] = [];
    let bytes = 0;
    for (const line of lines.reverse()) {
      bytes += line.line.length + 64;
      if (bytes > lastWordsBytesMax) break;
      kept.unshift(line);
    }
    if (kept.length > 0)
      tell({ kind: lastWordsKind, message: 'It has ended; this is what it said last.', data: { lines: kept } });
  }

  /** Those whose writes nobody else bounds. */
  async #watched(): Promise<Watched[]> {
    const info = this.#info ?? (await this.info());
    if (info === null || info.diskQuota) return [];
    const list = await this.#engine.ask((docker) => docker.listContainers({ filters: this.#own() }));
    const watched = await Promise.all(
      list.map(async ({ Id, Labels }): Promise<Watched[]> => {
        const found = await this.#engine.find((docker) => docker.getContainer(Id).inspect());
        const { UpperDir: directory } = (found?.GraphDriver?.Data ?? {}) as { UpperDir?: string };
        const [instanceId, gib] = [Labels[instanceLabel], Labels['berth.disk-gib']];
        return directory && instanceId && gib ? [{ instanceId, directory, gibMax: Number(gib) }] : [];
      }),
    );
    return watched.flat();
  }

  async #endForDisk(instanceId: string, gibMax: number): Promise<void> {
    const reason = `it has filled its disk of ${gibMax} GiB`;
    await this.#remember(instanceId, { ended: { code: 'NO_SPACE', reason } });
    await this.#engine.find((docker) => docker.getContainer(nameOf(instanceId)).kill()).catch(notModified);
  }

  async #remember(instanceId: string, more: Memory): Promise<void> {
    const memory = { ...this.#memories.get(instanceId), ...more };
    this.#memories.set(instanceId, memory);
    await writeDurably(this.#file(instanceId), JSON.stringify(memory));
  }

  #file(instanceId: string): string {
    return join(this.#parts.directory, `${instanceId}.json`);
  }
}

/** The container has ended by itself meanwhile. */
function notModified(error: unknown): void {
  if (!(error instanceof EngineRefused && [304, 409].includes(error.status))) throw error;
}

/** Another container is made of the image. */
function inUse(error: unknown): void {
  if (!(error instanceof EngineRefused && error.status === 409)) throw error;
}
