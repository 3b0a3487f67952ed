// The host's ingress: one Caddy, which ends TLS for the HTTPS ports of all containers. It outlives the agent and is adopted by
// the next; whatever it is found to be doing, it is told the whole of what it should do.

import { spawn } from 'node:child_process';
import { chown, mkdir, open, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { writeDurably } from '../../host/durable-file.ts';
import { processProgram, processStartTicks } from '../../host/process.ts';
import type { SystemUser } from '../../host/system-user.ts';
import { runTool } from '../disk/tool.ts';
import { caddyConfig, type IngressOptions, type Routes } from './config.ts';

/** What an ingress is given. */
export interface IngressParts extends Omit<IngressOptions, 'port'> {
  /** Its own folder. */
  directory: string;
  /** Undefined lets the ingress choose, once. */
  port: number | undefined;
  /** Whom Caddy runs as; null for ourselves. */
  user: SystemUser | null;
  logger: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Where an ingress that is not public keeps the certificate of its authority. @param directory the ingress's own folder */
export const rootCertificateIn = (directory: string) => join(directory, 'storage/pki/authorities/local/root.crt');

const program = 'caddy';
/** Ports that an ingress of this machine alone tries before it takes any free one. */
const preferredPorts = [443, 8443];
const lookEveryMs = 500;
const startTimeoutMs = 15_000;
const answerTimeoutMs = 10_000;
const stopTimeoutMs = 5_000;

/** One host's ingress. */
export class Ingress {
  readonly #parts: IngressParts;
  readonly #places: { storage: string; adminSocket: string };
  #version: string | null = null;
  #port = 0;
  #routes: Routes = new Map();
  /** The process, and what it was last told. */
  #process: { pid: number; ticks: string } | null = null;
  #told = '';
  #timer: NodeJS.Timeout | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: IngressParts) {
    this.#parts = parts;
    this.#places = {
      storage: join(parts.directory, 'storage'),
      adminSocket: join(parts.directory, 'run', 'admin.sock'),
    };
  }

  /** Finds Caddy, and the one that runs here already. Call it once, first. */
  async open(): Promise<void> {
    const { directory, user, logger } = this.#parts;
    const version = await runTool(program, ['version']).catch(() => null);
    if (version?.code !== 0) {
      logger.info({}, 'there is no caddy on this machine, so containers get no HTTPS ports');
      return;
    }
    this.#version = version.stdout.trim();
    await mkdir(directory, { recursive: true, mode: 0o711 });
    for (const folder of [this.#places.storage, join(directory, 'run')]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (user) await chown(folder, user.uid, user.gid);
    }
    this.#port = await this.#choosePort();
    this.#process = await this.#runningSince();
    const routes = await readFile(this.#file('routes.json'), 'utf8').catch(() => '[]');
    this.#routes = new Map(JSON.parse(routes) as [string, string][]);
    this.#timer = setInterval(() => void this.#inTurn(() => this.#mend()).catch(() => {}), lookEveryMs).unref();
  }

  /** Where names lead, for whoever writes addresses; null where there is no ingress. */
  get place(): { domain: string; port: number } | null {
    return this.#version === null ? null : { domain: this.#parts.domain, port: this.#port };
  }

  /** The certificate of the authority that signs for an ingress that is not public. */
  get rootCertificate(): string {
    return rootCertificateIn(this.#parts.directory);
  }

  /**
   * Changes which names are served; what was served before a restart of the agent is served on.
   * @param change given what is served, returns what is to be
   * @throws Error when Caddy can't be started or refuses
   */
  change(change: (routes: Routes) => Routes): Promise<void> {
    return this.#inTurn(async () => {
      const routes = new Map(change(this.#routes));
      if (!isDeepStrictEqual(routes, this.#routes)) {
        await writeDurably(this.#file('routes.json'), JSON.stringify([...routes]));
        this.#routes = routes;
      }
      await this.#mend();
    });
  }

  /** Lets go of it; it runs on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#last;
  }

  /** Ends it. */
  async destroy(): Promise<void> {
    await this.close();
    if (this.#process) await end(this.#process);
  }

  /** Makes what runs be what should. Nothing to serve and nothing there is fine. */
  async #mend(): Promise<void> {
    if (this.#version === null || this.#isClosed) return;
    const isThere = this.#process !== null && processStartTicks(this.#process.pid) === this.#process.ticks;
    if (!isThere && this.#routes.size === 0) return;
    const options = { ...this.#parts, port: this.#port };
    const config = JSON.stringify(caddyConfig(options, this.#routes, this.#places, this.#version));
    if (isThere && this.#told === config) return;
    await writeDurably(this.#file('caddy.json'), config);
    if (isThere) await this.#tell(config);
    else await this.#start();
    this.#told = config;
  }

  async #start(): Promise<void> {
    const { directory, user, logger } = this.#parts;
    await rm(this.#places.adminSocket, { force: true });
    const config = this.#file('caddy.json');
    if (user) await chown(config, user.uid, user.gid);
    const command = [program, 'run', '--config', config];
    // Cut short at each start, and Caddy is told to complain only.
    const log = await open(join(directory, 'caddy.log'), 'w', 0o600);
    const [file = '', ...args] = user ? asUser(user, command) : command;
    const home = { HOME: directory, XDG_DATA_HOME: this.#places.storage, XDG_CONFIG_HOME: this.#places.storage };
    const child = spawn(file, args, {
      cwd: join(directory, 'run'),
      detached: true,
      env: { PATH: process.env.PATH, ...home },
      stdio: ['ignore', log.fd, log.fd],
    });
    child.unref();
    const failed = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code) => resolve(`it ended with status ${code}`));
    });
    await log.close();
    const deadline = performance.now() + startTimeoutMs;
    while (!(await this.#answers())) {
      const failure = await Promise.race([failed, sleep(lookEveryMs / 10, null)]);
      if (failure === null && performance.now() < deadline) continue;
      child.kill('SIGKILL');
      throw new Error(`Caddy did not come up: ${failure ?? 'it does not answer'}: ${await this.#complaint()}`);
    }
    const pid = child.pid ?? 0;
    this.#process = { pid, ticks: processStartTicks(pid) ?? '' };
    await writeDurably(this.#file('process.json'), JSON.stringify(this.#process));
    logger.info({ pid, port: this.#port }, 'ingress is up');
  }

  /** The process that an earlier agent has left, if it is still the same one. */
  async #runningSince(): Promise<{ pid: number; ticks: string } | null> {
    const text = await readFile(this.#file('process.json'), 'utf8').catch(() => null);
    if (text === null) return null;
    const known = JSON.parse(text) as { pid: number; ticks: string };
    return processStartTicks(known.pid) === known.ticks && processProgram(known.pid) === program ? known : null;
  }

  /** The port stays the same for good, because customers have it in their addresses. */
  async #choosePort(): Promise<number> {
    if (this.#parts.port !== undefined) return this.#parts.port;
    const known = await readFile(this.#file('port'), 'utf8').catch(() => null);
    if (known !== null) return Number(known);
    for (const candidate of [...preferredPorts, 0]) {
      const port = await freePort(candidate, this.#parts.address);
      if (port === null) continue;
      await writeDurably(this.#file('port'), String(port));
      return port;
    }
    throw new Error(`No port is free for the ingress on ${this.#parts.address}.`);
  }

  async #answers(): Promise<boolean> {
    return (await this.#ask('GET', '/config/admin').catch(() => 0)) === 200;
  }

  async #tell(config: string): Promise<void> {
    const status = await this.#ask('POST', '/load', config);
    if (status !== 200) throw new Error(`Caddy refused its configuration (${status}): ${await this.#complaint()}`);
  }

  #ask(method: string, path: string, body?: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', host: 'localhost' };
      const socket = { socketPath: this.#places.adminSocket, timeout: answerTimeoutMs };
      const asked = request({ ...socket, method, path, headers }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
      });
      asked.on('timeout', () => asked.destroy(new Error('Caddy does not answer.')));
      asked.on('error', reject);
      asked.end(body);
    });
  }

  async #complaint(): Promise<string> {
    const text = await readFile(join(this.#parts.directory, 'caddy.log'), 'utf8').catch(() => '');
    return text.trim().split('\n').slice(-2).join(' ').slice(0, 500);
  }

  #file(name: string): string {
    return join(this.#parts.directory, name);
  }

  /** One at a time; who only looks after it leaves a failure to the log. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work, work);
    this.#last = done.catch((error: unknown) => {
      this.#parts.logger.warn({ err: error }, 'the ingress is not as it should be; it is tried again');
    });
    await done;
  }
}

/** Runs a command as an unprivileged user who may listen on ports below 1024 and nothing else. */
function asUser({ uid, gid }: SystemUser, command: readonly string[]): string[] {
  const identity = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--no-new-privs'];
  const capability = ['--inh-caps', '-all,+net_bind_service', '--ambient-caps', '-all,+net_bind_service'];
  return ['setpriv', ...identity, ...capability, '--bounding-set', '-all,+net_bind_service', '--', ...command];
}

/** The port, when it can be listened on; with 0 any that can. */
function freePort(port: number, address: string): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(null));
    probe.listen(port, address || undefined, () => {
      const at = probe.address();
      probe.close(() => resolve(typeof at === 'object' && at ? at.port : null));
    });
  });
}

async function end({ pid, ticks }: { pid: number; ticks: string }): Promise<void> {
  const send = (name: NodeJS.Signals) => {
    try {
      if (processStartTicks(pid) === ticks) process.kill(pid, name);
    } catch {
      // It has ended meanwhile.
    }
  };
  send('SIGTERM');
  const deadline = performance.now() + stopTimeoutMs;
  while (processStartTicks(pid) === ticks && performance.now() < deadline) await sleep(50);
  send('SIGKILL');
}
