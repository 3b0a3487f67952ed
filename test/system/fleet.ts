// Two servers on one database and two hosts with real VMs, each a process of its own, and each host in a network of its
// own: as near to a small operator's machines as one machine can come.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { appendFile, chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { until } from '../support/berth.ts';
import { microImage } from '../support/images.ts';
import { endQemus, findQemus } from '../torture/qemu-host.ts';
import { type Namespace, Networks } from './netns.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const startMsMax = 60_000;

/** One of the equal servers. */
export interface Replica {
  url: string;
  /** Ends it at once, as a pulled plug would. */
  kill(): Promise<void>;
}

/** One host with its agent. */
export interface FleetHost {
  id: string;
  name: string;
  namespace: Namespace;
  /** Ids of the instances whose QEMUs run on it, one entry for each process. */
  running(): string[];
  /** Whether anything of an instance is on its disk. */
  holds(instanceId: string): Promise<boolean>;
}

/** All of it. */
export class Fleet {
  readonly directory: string;
  apiKey = '';
  readonly replicas: Replica[] = [];
  readonly hosts: FleetHost[] = [];
  imageUrl = '';
  #database: Database | undefined;
  #connectionString = '';
  readonly #undo: (() => Promise<unknown>)[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Starts two servers and two hosts, and resolves when both hosts are in reach. */
  static async create(): Promise<Fleet> {
    const directory = await mkdtemp(join(tmpdir(), 'berth-fleet-'));
    await chmod(directory, 0o755);
    const fleet = new Fleet(directory);
    fleet.#undo.push(() => rm(directory, { recursive: true, force: true }));
    try {
      await fleet.#start();
      return fleet;
    } catch (error) {
      await fleet.close();
      throw error;
    }
  }

  get database(): Database {
    if (!this.#database) throw new Error('The database is not up.');
    return this.#database;
  }

  /** Runs a command of the operator's. */
  async berth<Value>(...command: string[]): Promise<Value> {
    const args = ['src/main.ts', 'local', ...command, '--database-url', this.#connectionString, '--json'];
    return JSON.parse((await run(process.execPath, args, { cwd: root, timeout: startMsMax })).stdout) as Value;
  }

  /** Ends everything and leaves nothing. */
  async close(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) await step();
  }

  async #start(): Promise<void> {
    const networks = await Networks.create(process.pid);
    this.#undo.push(() => networks.close());
    const images = await serveMicroImage(networks.address);
    this.#undo.push(async () => images.close());
    const imageHost = `${networks.address}:${(images.address() as AddressInfo).port}`;
    this.imageUrl = `http://${imageHost}/micro.qcow2`;
    const postgres = await startEmbeddedPostgres({ dataDir: join(this.directory, 'postgres'), logger: silent });
    this.#undo.push(() => postgres.stop());
    this.#connectionString = postgres.connectionString;
    this.#database = openDatabase(postgres.connectionString, () => {});
    this.#undo.push(() => this.database.destroy());
    for (const name of ['a', 'b']) this.replicas.push(await this.#startReplica(name, networks.address, imageHost));
    await this.berth('account', 'create', 'customer');
    await this.berth('account', 'credit', 'customer', '1000', '--reason', 'to begin with');
    this.apiKey = (await this.berth<{ apiKey: string }>('account', 'key', 'create', 'customer', '--name', 'k')).apiKey;
    for (const [index, name] of ['host-a', 'host-b'].entries()) {
      const namespace = await networks.add();
      const pool = ['--address-pool', `127.54.${index + 1}.0/24`];
      const { hostId: id, token } = await this.berth<{ hostId: string; token: string }>('host', 'enrol', name, ...pool);
      // Two cores are few, and the VMs of this test do next to nothing.
      await this.berth('host', 'set', name, '--vcpu-overcommit', '4');
      this.hosts.push(await this.#startHost({ id, name, namespace, token, imageHost }));
    }
    await until('both hosts are in reach', async () => {
      const rows = await this.database.selectFrom('host').select('reachable').execute();
      return rows.length === 2 && rows.every(({ reachable }) => reachable);
    });
  }

  async #startReplica(name: string, address: string, imageHost: string): Promise<Replica> {
    const data = ['--data', join(this.directory, `server-${name}`), '--allow-image-host', imageHost];
    const secretKey = ['--secret-key', join(this.directory, 'secret.key')];
    const args = [
      'server',
      '--database-url',
      this.#connectionString,
      '--listen',
      `${address}:0`,
      ...data,
      ...secretKey,
    ];
    const { child, words } = await this.#spawn(
      `server-${name}`,
      [process.execPath, ['src/main.ts', ...args]],
      /listens at/,
    );
    const kill = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    };
    this.#undo.push(kill);
    return { url: /http:\S+/.exec(words)?.[0] ?? '', kill };
  }

  async #startHost(
    options: Omit<FleetHost, 'running' | 'holds'> & { token: string; imageHost: string },
  ): Promise<FleetHost> {
    const { id, name, namespace, token, imageHost } = options;
    const data = join(this.directory, name);
    const servers = this.replicas.flatMap(({ url }) => ['--server', url]);
    const args = ['agent', ...servers, '--token', token, '--data', data, '--allow-image-host', imageHost];
    const agentDirectory = join(data, 'agent');
    this.#undo.push(() => endQemus(agentDirectory));
    const { child } = await this.#spawn(
      name,
      namespace.inside(process.execPath, ['src/main.ts', ...args]),
      /works for/,
    );
    this.#undo.push(async () => {
      const ended = once(child, 'exit');
      if (child.kill('SIGTERM')) await ended;
    });
    const vms = join(agentDirectory, 'vm');
    return {
      id,
      name,
      namespace,
      running: () => findQemus(vms).map(({ instanceId }) => instanceId),
      holds: (instanceId) =>
        stat(join(vms, instanceId)).then(
          () => true,
          () => false,
        ),
    };
  }

  async #spawn(
    name: string,
    [file, args]: [string, string[]],
    isReady: RegExp,
  ): Promise<{ child: ChildProcess; words: string }> {
    const child = spawn(file, args, { cwd: root });
    let words = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      words += text;
    });
    let writing: Promise<void> = Promise.resolve();
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      writing = writing.then(() => appendFile(join(this.directory, `${name}.log`), text)).catch(() => {});
    });
    const deadline = performance.now() + startMsMax;
    while (!isReady.test(words)) {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${name} did not start: ${words}`);
      await sleep(20);
    }
    return { child, words };
  }
}

async function serveMicroImage(address: string): Promise<Server> {
  const path = await microImage();
  const { size } = await stat(path);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': size });
    createReadStream(path).pipe(response);
  }).listen(0, address);
  await once(server, 'listening');
  return server;
}
