// The doors of all VMs' consoles at this server: SSH on port 22 of each management address that is this machine's. They are
// opened and closed as VMs come and go, whoever has made or deleted them.

import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type Connection } from 'ssh2';
import type { ConsoleExchange } from '../app/console.ts';
import { reachConsole, type Visitor } from '../app/console-access.ts';
import type { Context } from '../app/context.ts';
import { ensureConsoleHostKey, listManagementAddresses } from '../app/management-address.ts';
import { type ListenerLimits, type ListenerParts, SshListener } from '../host/ssh/listener.ts';
import { BerthError } from '../model/errors.ts';
import { serveLogin } from './login.ts';
import { serveVisit } from './session.ts';

const sshPort = 22;
/** OpenSSH's client retries three passwords; people look theirs up. */
const limits: ListenerLimits = { connections: 20, handshakeMs: 120_000 };
/** How often VMs are looked at that came or went. */
const passEveryMs = 2_000;
/** An address that is another machine's may become this one's. */
const retryMs = 60_000;
/** Who lost his privilege, or whose VM was deleted, is shown out within this time. */
const recheckMs = 15_000;

/** What the front is given. */
export interface ConsoleFrontParts {
  context: Context;
  exchange: ConsoleExchange;
  redirect: ListenerParts['redirect'];
}

/** The doors of one server. */
export class ConsoleFront {
  readonly #parts: ConsoleFrontParts;
  readonly #doors = new Map<string, SshListener>();
  /** Addresses without a door, with why, and when it is tried again. */
  readonly #closed = new Map<string, { reason: string; retryAtMs: number }>();
  readonly #stopping = new AbortController();
  #hostKey: string | undefined;
  #passing: Promise<void> = Promise.resolve();

  constructor(parts: ConsoleFrontParts) {
    this.#parts = parts;
  }

  /** Begins to open and close doors. */
  start(): void {
    this.#passing = this.#keepPassing();
  }

  /** Closes all doors and ends every connection. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#passing;
    await Promise.all([...this.#doors.values()].map((door) => door.close()));
  }

  async #keepPassing(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#pass();
      } catch (error) {
        if (!signal.aborted) this.#parts.context.logger.warn({ err: error }, "consoles' doors were not looked at");
      }
      await sleep(passEveryMs, undefined, { signal }).catch(() => {});
    }
  }

  async #pass(): Promise<void> {
    const addresses = new Set((await listManagementAddresses(this.#parts.context)).map(({ ip }) => ip));
    for (const [address, door] of this.#doors) {
      if (addresses.has(address)) continue;
      this.#doors.delete(address);
      await door.close();
    }
    for (const address of this.#closed.keys()) if (!addresses.has(address)) this.#closed.delete(address);
    for (const address of addresses) {
      if (this.#stopping.signal.aborted) return;
      const isDue = (this.#closed.get(address)?.retryAtMs ?? 0) <= performance.now();
      if (!this.#doors.has(address) && isDue) await this.#openDoor(address);
    }
  }

  async #openDoor(address: string): Promise<void> {
    const { context, redirect } = this.#parts;
    this.#hostKey ??= await ensureConsoleHostKey(context, () => ssh2.utils.generateKeyPairSync('ed25519').private);
    if (this.#hostKey === undefined) return;
    const door = new SshListener(
      { address, port: sshPort },
      {
        ...{ hostKey: this.#hostKey, limits, redirect },
        serve: (connection, from) => this.#serve(connection, address, from),
        failed: (error, what) => {
          const about = { address, reason: error.message };
          if (what === 'connection') context.logger.debug(about, "a connection at a console's door broke");
          else context.logger.warn(about, "a console's door takes no connection");
        },
      },
    );
    try {
      await door.listen();
      this.#doors.set(address, door);
      this.#closed.delete(address);
    } catch (error) {
      this.#noteClosed(address, error as NodeJS.ErrnoException);
    }
  }

  /** Says it once for each reason: there may be thousands of addresses. */
  #noteClosed(address: string, error: NodeJS.ErrnoException): void {
    const reason = error.code ?? error.message;
    const isKnown = [...this.#closed.values()].some((closed) => closed.reason === reason);
    this.#closed.set(address, { reason, retryAtMs: performance.now() + retryMs });
    if (isKnown) return;
    const { logger } = this.#parts.context;
    if (reason === 'EADDRNOTAVAIL')
      logger.info({ address }, 'consoles at this address and others are not this machine');
    else logger.warn({ address, err: error }, `consoles have no door where port ${sshPort} can't be had`);
  }

  #serve(connection: Connection, address: string, from: string): void {
    const { context } = this.#parts;
    let visitor: Visitor | undefined;
    serveLogin(context, connection, { address, from }, (admitted) => {
      visitor = admitted;
    });
    connection.once('ready', () => {
      if (!visitor) return;
      this.#receive(connection, address, visitor);
    });
  }

  #receive(connection: Connection, address: string, visitor: Visitor): void {
    const { context, exchange } = this.#parts;
    const { logger } = context;
    const consoles = new Set<Duplex>();
    // A client that is told to go may stay and go on talking; nobody listens to it then.
    const showOut = () => {
      for (const console of consoles) console.destroy();
      connection.end();
    };
    const rechecking = setInterval(() => {
      reachConsole(context, visitor, address).then(
        (vm) => vm ?? showOut(),
        (error: unknown) => logger.debug({ err: error, address }, 'a visitor was not looked at again'),
      );
    }, recheckMs).unref();
    connection.once('close', () => clearInterval(rechecking));
    serveVisit(connection, {
      ...{ address, logger },
      open: async (channel) => {
        const vm = await reachConsole(context, visitor, address);
        if (!vm) throw new BerthError('forbidden', 'You may not use the consoles of this server any more.');
        const console = await exchange.open(`user:${visitor.username}`, vm, channel);
        consoles.add(console);
        console.once('close', () => consoles.delete(console));
        return console;
      },
    });
  }
}
