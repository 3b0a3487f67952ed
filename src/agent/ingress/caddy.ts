// The host's ingress: one Caddy, which ends TLS for the HTTPS ports of all containers. It outlives the agent and is adopted by
// the next; whatever it is found to be doing, it is told the whole of what it should do.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { writeDurably } from '../../host/durable-file.ts';
import { isAlive, type ProcessIdentity } from '../../host/process.ts';
import type { SystemUser } from '../../host/system-user.ts';
import type { IngressPlace } from '../../model/ingress.ts';
import { runTool } from '../disk/tool.ts';
import { adminSocket, CaddyAdmin, CaddyRefused } from './admin.ts';
import { caddyConfig, type IngressOptions, type Routes } from './config.ts';
import { untilServed } from './handshake.ts';
import { lastingPort } from './port.ts';
import { type CaddyFolder, endCaddy, findCaddy, inFolder, openFolder, startCaddy } from './process.ts';

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

const lookEveryMs = 500;
/** Caddy's own authority signs within milliseconds. */
const certificateMs = 5_000;
/** After each attempt in a row the next waits twice as long. */
const pauseMs = 500;
const pauseMsMax = 30_000;
/** Who has run this long has recovered. */
const steadyMs = 60_000;

/** One host's ingress. */
export class Ingress {
  readonly #parts: IngressParts;
  #version: string | null = null;
  #folder: CaddyFolder | null = null;
  #port = 0;
  #routes: Routes = new Map();
  /** The process, and what it was last told. */
  #process: ProcessIdentity | null = null;
  #told = '';
  /** Starts and orders in a row, and when the last one was. */
  #attempts = 0;
  #attemptedAtMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: IngressParts) {
    this.#parts = parts;
  }

  /** Finds Caddy, and the one that runs here already. Call it once, first. */
  async open(): Promise<void> {
    const { directory, user, port, address, logger } = this.#parts;
    const folder = await openFolder(directory, user);
    const version = await runTool('env', inFolder(folder, ['version'])).catch(() => null);
    if (version?.code !== 0) {
      logger.info({}, 'there is no caddy on this machine, so containers get no HTTPS ports');
      return;
    }
    this.#folder = folder;
    this.#port = port ?? (await lastingPort(this.#file('port'), address));
    this.#process = findCaddy(folder.places.run);
    const routes = await readFile(this.#file('routes.json'), 'utf8').catch(() => '[]');
    this.#routes = new Map(JSON.parse(routes) as [string, string][]);
    this.#version = version.stdout.trim();
    this.#timer = setInterval(() => void this.#inTurn(() => this.#lookAfter()), lookEveryMs).unref();
  }

  /** Where names lead, for whoever writes addresses; null where there is no ingress. */
  get place(): IngressPlace | null {
    return this.#version === null ? null : { domain: this.#parts.domain, port: this.#port };
  }

  /** The certificate of the authority that signs for an ingress that is not public. */
  get rootCertificate(): string {
    return rootCertificateIn(this.#parts.directory);
  }

  /**
   * Changes which names are served; what was served before a restart of the agent is served on.
   * @param change given what is served, returns what is to be
   * @throws Error when Caddy can't be started or refuses; the change then takes place once it can
   */
  change(change: (routes: Routes) => Routes): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#routes;
      const routes = new Map(change(before));
      if (!isDeepStrictEqual(routes, before)) {
        if (this.#folder) await writeDurably(this.#file('routes.json'), JSON.stringify([...routes]));
        this.#routes = routes;
      }
      await this.#mend();
      await this.#untilServed([...routes.keys()].filter((name) => !before.has(name)));
    });
  }

  /** Lets go of it; it runs on. */
  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await this.#last;
  }

  /** Ends it. */
  async destroy(): Promise<void> {
    await this.close();
    if (this.#process) await endCaddy(this.#process);
  }

  /** New names answer from the start. A public authority may take minutes for each, or refuse; nobody waits for that. */
  async #untilServed(names: readonly string[]): Promise<void> {
    const { isPublic, address, logger } = this.#parts;
    if (isPublic || this.#process === null) return;
    for (const name of names) {
      if (await untilServed(address, this.#port, name, certificateMs)) continue;
      logger.warn({ name }, 'Caddy has made no certificate for a name yet');
    }
  }

  /** Brings back what has ended, at once the first time, and with growing patience after that. */
  async #lookAfter(): Promise<void> {
    const sinceMs = performance.now() - this.#attemptedAtMs;
    if (sinceMs > steadyMs) this.#attempts = 0;
    if (this.#attempts > 0 && sinceMs < Math.min(pauseMsMax, pauseMs * 2 ** (this.#attempts - 1))) return;
    await this.#mend().catch((error: unknown) => {
      this.#parts.logger.warn({ err: error }, 'the ingress is not as it should be; it is tried again');
    });
  }

  /** Makes what runs be what should. Nothing to serve and nothing there is fine. */
  async #mend(): Promise<void> {
    if (this.#folder === null || this.#version === null || this.#timer === null) return;
    if (this.#process && !isAlive(this.#process)) this.#process = null;
    if (this.#process === null && this.#routes.size === 0) return;
    const options = { ...this.#parts, port: this.#port };
    const config = JSON.stringify(caddyConfig(options, this.#routes, this.#folder.places, this.#version));
    if (this.#process && this.#told === config) return;
    this.#attempts += 1;
    this.#attemptedAtMs = performance.now();
    await writeDurably(this.#file('caddy.json'), config);
    if (this.#process === null || !(await this.#tell(this.#process, config))) await this.#start(this.#folder);
    else this.#attempts = 0;
    this.#told = config;
  }

  /** @returns false when that Caddy takes no orders any more, and has been ended */
  async #tell(found: ProcessIdentity, config: string): Promise<boolean> {
    try {
      await new CaddyAdmin(this.#runDirectory).load(config);
      return true;
    } catch (error) {
      if (error instanceof CaddyRefused) throw error;
      this.#parts.logger.warn({ err: error, pid: found.pid }, 'Caddy takes no orders; it is replaced');
      await endCaddy(found);
      return false;
    }
  }

  async #start(folder: CaddyFolder): Promise<void> {
    // One that an agent started just before it was killed counts as well.
    const leftOver = findCaddy(folder.places.run);
    if (leftOver) await endCaddy(leftOver);
    await rm(join(this.#runDirectory, adminSocket), { force: true });
    this.#process = await startCaddy(folder, this.#parts.user, new CaddyAdmin(this.#runDirectory));
    this.#parts.logger.info({ pid: this.#process.pid, port: this.#port }, 'ingress is up');
  }

  get #runDirectory(): string {
    return this.#folder?.places.run ?? '';
  }

  #file(name: string): string {
    return join(this.#parts.directory, name);
  }

  /** One at a time. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }
}
