// What is tortured: PostgreSQL, a server and an agent, each a process of its own that can be killed at any instruction and
// started again on what it left. A process that ends without having been killed is a finding, not an accident.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ensureFirstAccount, ensureLocalHost } from '../../src/app/bootstrap.ts';
import type { Context } from '../../src/app/context.ts';
import { makeEnrolmentToken } from '../../src/app/host.ts';
import { MarketView } from '../../src/app/market.ts';
import { readSettings } from '../../src/app/settings.ts';
import { lockedVault } from '../../src/app/vault.ts';
import { Wakeups } from '../../src/app/wakeups.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { newSecret } from '../../src/model/id.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate } from '../../src/store/migrate.ts';
import { until } from '../support/berth.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
/** A process that has not begun to work by then never will; on a machine that other tests load as well. */
const startMsMax = 60_000;
const silentLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** The three that can be killed. */
export const parts = ['server', 'agent', 'postgres'] as const;
export type Part = (typeof parts)[number];

/** What a world is made of. */
export interface WorldOptions {
  addressPool: string;
  /** The agent's arguments beyond those every agent needs, asked for at each of its starts. */
  agentArguments(): string[];
  serverArguments: string[];
}

interface Process {
  child: ChildProcess;
  ready: boolean;
  killed: boolean;
}

/** One Berth in three processes, on a scratch directory. */
export class World {
  readonly directory: string;
  readonly url: string;
  readonly apiKey = newSecret('berth', systemEntropy);
  /** Processes that ended although nobody had killed them. */
  readonly surprises: string[] = [];
  readonly #options: WorldOptions;
  readonly #processes = new Map<'server' | 'agent', Process>();
  #postgres: EmbeddedPostgres | null = null;
  #database: Database | null = null;
  #connectionString = '';
  #token = '';

  private constructor(directory: string, port: number, options: WorldOptions) {
    this.directory = directory;
    this.url = `http://127.0.0.1:${port}`;
    this.#options = options;
  }

  /** Makes a world and starts all of it. */
  static async create(options: WorldOptions): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), 'berth-torture-'));
    const world = new World(directory, await freePort(), options);
    try {
      await run('chmod', ['0755', directory]);
      await world.start('postgres');
      await world.#prepare();
      // Processes that are killed keep no compiled code for their successors; those that end by themselves do.
      for (const part of ['server', 'agent'] as const) await world.start(part);
      for (const part of ['agent', 'server'] as const) await world.#end(part, 'SIGTERM');
      for (const part of ['server', 'agent'] as const) await world.start(part);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** The checker's own connections. */
  get database(): Database {
    if (!this.#database) throw new Error('PostgreSQL is down.');
    return this.#database;
  }

  /** The number that an instance has in Bytemark's dialect; undefined while nobody can say. */
  async numberOf(instanceId: string): Promise<number | undefined> {
    const query = this.#database?.selectFrom('instance').where('id', '=', instanceId).select('number');
    const row = await query?.executeTakeFirst().catch(() => undefined);
    return row && Number(row.number);
  }

  get agentDirectory(): string {
    return join(this.directory, 'agent');
  }

  /** Starts a part that is down; does nothing to one that is up. */
  async start(part: Part): Promise<void> {
    if (part === 'postgres') return this.#startPostgres();
    await until(
      `the ${part} is up`,
      async () => {
        const running = this.#processes.get(part) ?? this.#spawn(part);
        const { child } = running;
        const ended = once(child, 'exit', { signal: AbortSignal.timeout(startMsMax) }).catch(() => {});
        while (child.exitCode === null && child.signalCode === null && !running.ready) {
          await Promise.race([ended, sleep(20)]);
        }
        return running.ready;
      },
      startMsMax,
    );
  }

  /** Ends a part at once, as a pulled plug would. Does nothing to one that is down. */
  async kill(part: Part): Promise<void> {
    if (part === 'postgres') {
      const postgres = this.#postgres;
      if (!postgres) return;
      await this.#database?.destroy();
      [this.#database, this.#postgres] = [null, null];
      process.kill(postgres.pid, 'SIGKILL');
      return;
    }
    await this.#end(part, 'SIGKILL');
  }

  /** Copies the data directory as it lies there, PostgreSQL being dead. */
  async copyDatabase(): Promise<void> {
    await this.#whilePostgresIsDown(async (files, copy) => {
      await rm(copy, { recursive: true, force: true });
      await run('cp', ['-a', files, copy]);
    });
  }

  /** Puts the copy in the place of the data directory, PostgreSQL being dead. */
  async restoreDatabase(): Promise<void> {
    await this.#whilePostgresIsDown(async (files, copy) => {
      await rm(files, { recursive: true });
      await run('cp', ['-a', copy, files]);
    });
  }

  /** Kills the agent, changes what it will find, and starts it again. */
  async whileAgentIsDown(change: (agentDirectory: string) => Promise<void>): Promise<void> {
    await this.kill('agent');
    await change(this.agentDirectory);
    await this.start('agent');
  }

  /** Ends everything and removes the directory; `keep` leaves it for whoever looks into a failure. */
  async close(options: { keep?: boolean } = {}): Promise<void> {
    await this.kill('agent');
    await this.kill('server');
    await this.#database?.destroy();
    await this.#postgres?.stop();
    if (!options.keep) await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(part: 'server' | 'agent', signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#processes.get(part);
    if (!running) return;
    running.killed = true;
    const ended = once(running.child, 'exit');
    running.child.kill(signal);
    await ended;
  }

  async #startPostgres(): Promise<void> {
    if (this.#postgres) return;
    const dataDir = join(this.directory, 'postgres');
    this.#postgres = await startEmbeddedPostgres({ dataDir, logger: silentLogger });
    this.#connectionString = this.#postgres.connectionString;
    this.#database = openDatabase(this.#connectionString, () => {});
  }

  async #whilePostgresIsDown(work: (files: string, copy: string) => Promise<void>): Promise<void> {
    await this.kill('postgres');
    const files = join(this.directory, 'postgres');
    // Its processes leave when they notice that their parent is dead; starting it is the way to wait for that.
    await this.#startPostgres();
    await this.#database?.destroy();
    await this.#postgres?.stop();
    [this.#database, this.#postgres] = [null, null];
    await work(files, join(this.directory, 'copy'));
    await this.#startPostgres();
  }

  async #prepare(): Promise<void> {
    await migrate(this.database, join(root, 'schema'));
    const context: Context = {
      database: this.database,
      clock: systemClock,
      entropy: systemEntropy,
      logger: silentLogger,
      settings: await readSettings(join(this.directory, 'settings.json')),
      wakeups: new Wakeups(async () => {}),
      market: new MarketView(this.database),
      vault: lockedVault,
      allowedImageHosts: new Set(),
      allowedCallbackHosts: new Set(),
      publicUrl: this.url,
    };
    const { apiKey } = this;
    await ensureFirstAccount(context, { account: 'default', apiKey, username: 'admin', passwordHash: 'none' });
    const hostId = await ensureLocalHost(context, 'tortured', this.#options.addressPool);
    this.#token = await makeEnrolmentToken(context, hostId);
  }

  get #environment(): NodeJS.ProcessEnv {
    return { ...process.env, NODE_COMPILE_CACHE: join(this.directory, 'compiled') };
  }

  #spawn(part: 'server' | 'agent'): Process {
    const { serverArguments, agentArguments } = this.#options;
    const data = ['--data', this.directory];
    const address = this.url.replace('http://', '');
    const own =
      part === 'server'
        ? ['--database-url', this.#connectionString, '--listen', address, ...data, ...serverArguments]
        : ['--server', this.url, '--token', this.#token, ...data, ...agentArguments()];
    const child = spawn(process.execPath, ['src/main.ts', part, ...own], { cwd: root, env: this.#environment });
    const running: Process = { child, ready: false, killed: false };
    this.#processes.set(part, running);
    let words = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      words += text;
      if (/listens at|works for/.test(words)) running.ready = true;
    });
    const log = join(this.directory, `${part}.log`);
    let writing: Promise<void> = mkdir(this.directory, { recursive: true }).then(() => {});
    let tail = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-4_000);
      writing = writing.then(() => appendFile(log, text)).catch(() => {});
    });
    child.once('exit', (code, signal) => {
      if (this.#processes.get(part) === running) this.#processes.delete(part);
      // A server that finds no database when it starts says so and ends; whoever runs it starts it again.
      if (running.killed || !running.ready) return;
      this.surprises.push(`The ${part} ended by itself (${signal ?? `exit code ${code}`}). Its last words: ${tail}`);
    });
    return running;
  }
}

/** A TCP port of 127.0.0.1 that nothing listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port was given');
  return address.port;
}
