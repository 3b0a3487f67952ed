// The ground that `berth demo` stands on: a directory of its own, a whole Berth in it, how much this machine has room
// for, and the certainty that at the end nothing is left, neither processes nor files. What is shown to whom is the
// command's business.

import { spawnSync } from 'node:child_process';
import { createWriteStream, readFileSync, realpathSync, rmSync, type WriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, freemem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { storageTypeOf } from '../agent/hardware/disks.ts';
import { rootCertificateIn } from '../agent/ingress/caddy.ts';
import { homeOf } from '../agent/vm/home.ts';
import { readSettings } from '../app/settings.ts';
import { processIds, processProgram, processWorkingDirectory } from '../host/process.ts';
import { parseConfiguration } from '../model/configuration.ts';
import { ingressDirectoryOf } from './containers.ts';
import { DemoEngine } from './demo-engine.ts';
import { parseListenAddress } from './listen.ts';
import { makeLogger } from './logger.ts';
import { defaultTlsListen } from './tls-options.ts';
import { type RunningBerth, startUp } from './up.ts';

/** Not the directory for small things in memory that /tmp is on some machines: a VM's disk lies in it. */
const defaultParent = '/var/tmp';
const preferredListen = '127.0.0.1:8080';
const anyListen = '127.0.0.1:0';
/** What the machine is asked for at most: the rest is for whoever else works on it. */
const memoryShareMax = 0.5;
const diskShareMax = 0.8;
/** The largest request first; the first one that fits is made. */
const wishes: readonly { instances: number; configuration: string }[] = [
  { instances: 2, configuration: 'cpu-4-ram-8gb-storage-25gb' },
  { instances: 2, configuration: 'cpu-2-ram-4gb-storage-25gb' },
  { instances: 1, configuration: 'cpu-2-ram-4gb-storage-25gb' },
  { instances: 1, configuration: 'cpu-1-ram-2gb-storage-10gb' },
  { instances: 1, configuration: 'cpu-1-ram-1gb-storage-5gb' },
];
const additionalStorageWishesGib = [20, 10, 5, 1];
/** Everything has a bound of its own below this one. */
const stopTimeoutMs = 60_000;
const logLinesShown = 12;
const warningLevel = 40;
const consoleBytesShown = 4_000;
const ownPrograms = /^(qemu-system-.*|postgres|caddy|dockerd|containerd|containerd-shim.*)$/;

/** How the demo's Berth is started. */
export interface DemoOptions {
  /** A directory that is not there yet, or is empty; a fresh one when left out. It is removed at the end. */
  data: string | undefined;
  /** Port 8080 when left out, or any free one where that is taken. */
  listen: string | undefined;
  addressPool: string;
  consolePool: string;
  /** Brings a container engine with it. */
  containers: boolean;
}

/** The demo's Berth. */
export class DemoHost {
  readonly directory: string;
  readonly #options: DemoOptions;
  readonly #log: WriteStream;
  #berth: RunningBerth | null = null;
  #engine: DemoEngine | null = null;

  private constructor(directory: string, options: DemoOptions) {
    this.directory = directory;
    this.#options = options;
    this.#log = createWriteStream(join(directory, 'berth.log'), { mode: 0o600 });
    this.#log.on('error', () => {}); // a full disk ends the log and nothing else
  }

  /**
   * Makes the directory.
   * @throws Error when this user can't run a demo, or the directory holds something already
   */
  static async prepare(options: DemoOptions): Promise<DemoHost> {
    if (process.getuid?.() !== 0) {
      throw new Error(
        'The demo needs root: it builds an OS image and opens ports below 1024 on an address of the VM. Start it as root or with sudo.',
      );
    }
    if (options.data === undefined) {
      const directory = await mkdtemp(join(process.env.TMPDIR ?? defaultParent, 'berth-demo-'));
      // The database's user has to get through; what is secret in there has modes of its own.
      await chmod(directory, 0o755);
      return new DemoHost(directory, options);
    }
    const directory = resolve(options.data);
    await mkdir(directory, { recursive: true, mode: 0o755 });
    if ((await readdir(directory)).length > 0) {
      throw new Error(`${directory} is not empty, and the demo removes its directory at the end; give it a new one.`);
    }
    return new DemoHost(directory, options);
  }

  /**
   * Starts server, database and agent. Where its files are, `api-key` holds the key alone.
   * @throws Error that says what to do when the address to listen on is taken
   */
  async start(signal: AbortSignal): Promise<{ url: string; apiKey: string }> {
    const { listen, containers } = this.#options;
    if (containers) {
      this.#engine = await DemoEngine.open(join(this.directory, 'docker'), signal);
      await this.#engine.ensureImage(signal);
    }
    try {
      this.#berth = await this.#startAt(listen ?? preferredListen, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (listen !== undefined) {
        throw new Error(
          `Another program listens at ${listen}; give the demo another place with --listen, such as --listen 127.0.0.1:0 for any free port.`,
        );
      }
      this.#berth = await this.#startAt(anyListen, signal);
    }
    const { url, apiKey } = this.#berth.credentials;
    await writeFile(join(this.directory, 'api-key'), apiKey, { mode: 0o600 });
    return { url, apiKey };
  }

  #startAt(listen: string, signal: AbortSignal): Promise<RunningBerth> {
    return startUp(
      {
        dataDirectory: this.directory,
        listen,
        tls: { listen: parseListenAddress(defaultTlsListen), anyPort: true },
        addressPool: this.#options.addressPool,
        consolePool: this.#options.consolePool,
        allowImageHosts: [],
        databaseUrl: undefined,
        logger: makeLogger(this.#log),
        ...(this.#engine ? { agent: { engineSocket: this.#engine.socketPath } } : {}),
      },
      signal,
    );
  }

  /**
   * The largest request that this machine has room for.
   * @throws Error when not even the smallest has
   */
  async measure(): Promise<DemoOffer> {
    const gib = 1024 ** 3;
    const { configurations } = await readSettings(join(this.directory, 'settings.json'));
    const { bavail, bsize } = await statfs(this.directory);
    const diskGib = Math.floor((bavail * bsize * diskShareMax) / gib);
    const memoryMib = Math.floor((freemem() * memoryShareMax) / 1024 ** 2);
    const storageType = await storageTypeOf(this.directory);
    for (const { instances, configuration } of wishes) {
      const size = parseConfiguration(configuration);
      if (!size || !configurations.includes(configuration)) continue;
      if (size.vcpus * instances > availableParallelism() || size.memoryMib * instances > memoryMib) continue;
      const additionalStorageGib = additionalStorageWishesGib.find(
        (additionalGib) => (size.diskGib + additionalGib) * instances <= diskGib,
      );
      if (additionalStorageGib !== undefined) return { configuration, storageType, additionalStorageGib, instances };
    }
    throw new Error(
      `This machine has too little room for a VM: ${(freemem() / gib).toFixed(1)} GiB of memory and ` +
        `${((bavail * bsize) / gib).toFixed(1)} GiB of disk in ${this.directory} are free; 2 and 8 are needed.`,
    );
  }

  /** The certificate of the authority that has signed for this machine's HTTPS ports; `ca.crt` holds it, too. */
  async rootCertificate(): Promise<string> {
    const ingress = ingressDirectoryOf(join(this.directory, 'agent'));
    const certificate = await readFile(rootCertificateIn(ingress), 'utf8');
    await writeFile(join(this.directory, 'ca.crt'), certificate);
    return certificate;
  }

  /** The last lines on a VM's console, at most `count`; none before it has said anything. */
  async consoleLines(instanceId: string, count: number): Promise<string[]> {
    const file = homeOf(join(this.directory, 'agent', 'vm'), instanceId).serialLog;
    const text = await readFile(file, 'latin1').catch(() => '');
    const lines = stripVTControlCharacters(text.slice(-consoleBytesShown)).split(/[\r\n]+/);
    const printable = lines.map((line) => line.replace(/[^\x20-\x7e]/g, '').trim()).filter((line) => line !== '');
    return printable.slice(-count);
  }

  /** The last warnings and errors of the log, as lines for a person. */
  async troubles(): Promise<string[]> {
    const text = await readFile(join(this.directory, 'berth.log'), 'utf8').catch(() => '');
    const lines = text.split('\n').flatMap((line) => {
      try {
        const { level, time, msg, err } = JSON.parse(line) as Record<string, unknown> & { err?: { message?: string } };
        if (Number(level) < warningLevel) return [];
        return `${String(time).slice(11, 19)} ${msg}${err?.message ? `: ${err.message}` : ''}`;
      } catch {
        return [];
      }
    });
    return lines.slice(-logLinesShown);
  }

  /**
   * Stops everything, ends what did not stop, and removes the directory.
   * @throws Error that names what is left
   */
  async close(): Promise<void> {
    const failures: string[] = [];
    const stopped = this.#berth?.close() ?? Promise.resolve();
    const late = new AbortController();
    const bound = sleep(stopTimeoutMs, 'late' as const, { signal: late.signal }).catch(() => 'late' as const);
    const outcome = await Promise.race([stopped, bound]).catch((error: Error) => error);
    late.abort();
    if (outcome instanceof Error) failures.push(`stopping failed (${outcome.message})`);
    else if (outcome === 'late') failures.push(`it has not stopped within ${stopTimeoutMs / 1000} s`);
    // The ingress outlives its agent by intent.
    for (const pid of this.#ownProcesses(/^caddy$/)) endProcess(pid);
    await this.#engine?.close().catch((error: Error) => failures.push(`the container engine stays (${error.message})`));
    const left = this.#ownProcesses();
    for (const pid of left) endProcess(pid);
    if (left.length > 0) failures.push(`processes ${left.join(', ')} were killed`);
    await new Promise<void>((done) => this.#log.end(done));
    // What was just killed may still write its last file.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }).catch((error: Error) =>
      failures.push(`${this.directory} could not be removed (${error.message})`),
    );
    if (failures.length > 0) throw new Error(`Cleaning up was not smooth: ${failures.join('; ')}.`);
  }

  /** Kills everything and removes the directory, without waiting for anybody. For the second Ctrl-C. */
  destroy(): void {
    const containers = this.#engine?.containerProcesses() ?? [];
    for (const pid of [...this.#ownProcesses(), ...containers]) endProcess(pid);
    unmountBelow(this.directory);
    try {
      rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    } catch {
      process.stderr.write(`${this.directory} could not be removed.\n`);
    }
  }

  /**
   * The hypervisors, the database and what runs containers, of this directory: each works in a directory below it. Others
   * may, too, such as the user's shell.
   */
  #ownProcesses(programs = ownPrograms): number[] {
    let directory: string;
    try {
      directory = realpathSync(this.directory);
    } catch {
      return []; // it is gone, and with it everything that was in it
    }
    return processIds().filter(
      (pid) => programs.test(processProgram(pid) ?? '') && processWorkingDirectory(pid)?.startsWith(`${directory}/`),
    );
  }
}

/** What the machine has room for, in the words of the request. */
export interface DemoOffer {
  configuration: string;
  storageType: 'HDD' | 'SSD' | 'NVMe';
  additionalStorageGib: number;
  instances: number;
}

/** A container engine that was killed leaves the file systems of its containers mounted. */
function unmountBelow(directory: string): void {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const path of mounts.reverse()) if (path.startsWith(`${directory}/`)) spawnSync('umount', ['--lazy', path]);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
