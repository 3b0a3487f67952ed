// What a benchmark runs against: a PostgreSQL of its own with fsync on, a server and a simulated agent as processes of
// their own, so that each takes the processor time that it really takes.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureFirstAccount, ensureLocalHost } from '../src/app/bootstrap.ts';
import type { Context } from '../src/app/context.ts';
import { makeEnrolmentToken } from '../src/app/host.ts';
import { MarketView } from '../src/app/market.ts';
import { readSettings } from '../src/app/settings.ts';
import { lockedVault } from '../src/app/vault.ts';
import { Wakeups } from '../src/app/wakeups.ts';
import { systemClock, systemEntropy } from '../src/compose/system.ts';
import { openDatabase } from '../src/store/database.ts';
import { startEmbeddedPostgres } from '../src/store/embedded/index.ts';
import { migrate } from '../src/store/migrate.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** A running stack. */
export interface Stack {
  url: string;
  apiKey: string;
  connectionString: string;
  context: Context;
  directory: string;
  server: ChildProcess;
  close(): Promise<void>;
}

/** Starts a stack with room for a million instances. @param furtherOptions of the server */
export async function startStack(furtherOptions: readonly string[] = []): Promise<Stack> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  await chmod(directory, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger: quiet });
  const database = openDatabase(postgres.connectionString, () => {});
  await migrate(database, join(root, 'schema'));
  const context: Context = {
    database,
    clock: systemClock,
    entropy: systemEntropy,
    logger: quiet,
    settings: await readSettings(''),
    wakeups: new Wakeups(async () => {}),
    market: new MarketView(database),
    vault: lockedVault,
    allowedImageHosts: new Set(),
    allowedCallbackHosts: new Set(),
    publicUrl: '',
  };
  const apiKey = 'berth_benchmark';
  await ensureFirstAccount(context, { account: 'bench', apiKey, username: 'bench', passwordHash: '' });
  const hostId = await ensureLocalHost(context, 'bench', '10.0.0.0/8');
  const serverOptions = ['--database-url', postgres.connectionString, '--data', directory, '--listen', '127.0.0.1:0'];
  const { child: server, firstLine } = await startChild(['server', ...serverOptions, ...furtherOptions]);
  const url = firstLine.trim().split(' ').at(-1) ?? '';
  const simulation = {
    simulated: {
      behaviour: { bootMs: 0, eraseMs: 0, startFailureChance: 0, imageFailureChance: 0 },
      capacity: { cores: 1_000_000, memoryMib: 1_000_000_000, diskGib: 100_000_000 },
    },
  };
  const token = await makeEnrolmentToken(context, hostId);
  const agentOptions = [
    '--server',
    url,
    '--token',
    token,
    '--data',
    directory,
    '--simulate',
    JSON.stringify(simulation),
  ];
  const { child: agent } = await startChild(['agent', ...agentOptions]);
  while ((await fetch(`${url}/healthz`)).status !== 200) await sleep(20);
  return {
    url,
    apiKey,
    connectionString: postgres.connectionString,
    context,
    directory,
    server,
    async close() {
      await Promise.all([agent, server].map(stopChild));
      await database.destroy();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Starts `berth` with these arguments. @returns the process and the first line that it printed */
export async function startChild(args: string[]): Promise<{ child: ChildProcess; firstLine: string }> {
  const child = spawn(join(root, 'berth'), args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BERTH_LOG: 'error' },
  });
  const firstLine = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk) => resolve(String(chunk).split('\n', 1)[0] ?? ''));
    child.once('exit', (code) => reject(new Error(`berth ${args[0]} ended with ${code}`)));
  });
  return { child, firstLine };
}

/** Asks a process to stop and waits for its end. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** The median of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Makes VMs over kept connections, and notes how long each took and which failed. */
export class Customer {
  readonly latenciesMs: number[] = [];
  errors = 0;
  readonly #stack: Stack;
  readonly #agent: Agent;
  readonly #prefix: string;
  #serial = 0;

  /** @param prefix what its VMs' names begin with */
  constructor(stack: Stack, connections: number, prefix = 'bench') {
    this.#stack = stack;
    this.#prefix = prefix;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Deploys one small VM under a name of its own. */
  deploy(): Promise<void> {
    this.#serial += 1;
    const key = this.#stack.apiKey;
    return this.#post('/vms/v3', key, 201, deployBody(`${this.#prefix}-${this.#serial}`));
  }

  /** Makes one small VM under a name of its own by Bytemark's call. */
  createVm(): Promise<void> {
    this.#serial += 1;
    const path = '/accounts/bench/groups/default/vm_create';
    return this.#post(path, `apikey.${this.#stack.apiKey}`, 202, createBody(`${this.#prefix}-${this.#serial}`));
  }

  #post(path: string, token: string, expected: number, body: string): Promise<void> {
    const began = performance.now();
    return new Promise((resolve) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const options = { method: 'POST', agent: this.#agent, headers };
      const call = request(this.#stack.url + path, options, (response) => {
        if (response.statusCode !== expected) this.errors += 1;
        response.resume().on('end', () => {
          this.latenciesMs.push(performance.now() - began);
          resolve();
        });
      });
      call.on('error', () => {
        this.errors += 1;
        resolve();
      });
      call.end(body);
    });
  }

  /** Lets the connections go. */
  close(): void {
    this.#agent.destroy();
  }
}

/** Runs `work` over and over in so many lanes for one turn. @returns how often a second */
export async function rate(lanes: number, turnMs: number, work: (lane: number) => Promise<void>): Promise<number> {
  const began = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (performance.now() - began < turnMs) {
        await work(lane);
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - began) / 1000);
}

/** A well-formed key that nobody has. */
function someKey(): string {
  const point = Buffer.alloc(32, 7);
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from('ssh-ed25519')), field(point)]).toString('base64')}`;
}

/** What the command-line client of Bytemark's API sends for one small VM. */
function createBody(name: string): string {
  return JSON.stringify({
    virtual_machine: { autoreboot_on: true, cores: 1, memory: 1024, name },
    discs: [{ label: 'disc-1', storage_grade: 'sata', size: 5120 }],
    reimage: { distribution: 'micro', firstboot_script: '', root_password: 's3cret', ssh_public_key: someKey() },
  });
}

/** The body of a deployment of one small VM. */
export function deployBody(name: string): string {
  return JSON.stringify({
    constraints: { basicConfiguration: 'cpu-1-ram-1gb-storage-5gb' },
    instances: 1,
    vmConfiguration: {
      name,
      openPorts: [{ port: 80, protocol: 'tcp' }],
      osImage: 'https://images.example/disk.qcow2',
      sshKeys: [someKey()],
    },
  });
}
