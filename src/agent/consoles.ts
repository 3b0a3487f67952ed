// Consoles that people open: for each the agent connects what it is asked for (a serial port, a screen, a command) with the server
// that asks, over a connection that it dials itself. What is said and typed goes through as it is.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { consolePath, consoleProtocol, type OfferedConsole, refusalLengthMax } from '../api/agent/contract/console.ts';
import { join } from '../host/join.ts';
import { NotUpgraded, upgrade } from '../host/upgrade.ts';
import { DriverFailure } from './driver.ts';

/** Connections that a host holds at once. */
const consolesMax = 200;
/** Servers on networks of their own don't answer at all; the person waits. */
const dialMs = 3_000;
/** The server tells of a console again until it is answered. */
const rememberedMs = 30_000;

/** What consoles are made of. */
export interface ConsolesParts {
  /** Where the agent's own servers are. */
  serverUrls: readonly string[];
  console(asked: OfferedConsole): Promise<Duplex>;
  logger: { warn(fields: object, message: string): void };
}

/** All consoles of one host that are open. */
export class Consoles {
  readonly #parts: ConsolesParts;
  readonly #known = new Set<string>();
  readonly #open = new Set<Duplex>();
  #isStopping = false;

  constructor(parts: ConsolesParts) {
    this.#parts = parts;
  }

  /** Connects those that it has not connected yet. */
  offer(consoles: readonly OfferedConsole[]): void {
    for (const console of consoles) {
      if (this.#known.has(console.id) || this.#isStopping) continue;
      this.#known.add(console.id);
      void this.#serve(console).finally(async () => {
        await sleep(rememberedMs, undefined, { ref: false });
        this.#known.delete(console.id);
      });
    }
  }

  /** Ends all of them. */
  stop(): void {
    this.#isStopping = true;
    for (const end of this.#open) end.destroy();
  }

  async #serve(console: OfferedConsole): Promise<void> {
    const { instanceId, channel } = console;
    const { logger } = this.#parts;
    let port: Duplex | undefined;
    try {
      if (this.#open.size >= consolesMax) throw new DriverFailure('host.busy', 'The host has no room for more.', false);
      port = await this.#hold(await this.#parts.console(console));
      await join(port, await this.#hold(await this.#dial(console)));
    } catch (error) {
      port?.destroy();
      if (!port && !this.#isStopping) return this.#refuse(console, error as Error);
      logger.warn({ err: error, instanceId, channel }, 'a console could not be connected with its server');
    }
  }

  /** Tells the server why there will be no connection. */
  async #refuse(console: OfferedConsole, error: Error): Promise<void> {
    const { instanceId, channel } = console;
    const isKnown = error instanceof DriverFailure;
    if (!isKnown) this.#parts.logger.warn({ err: error, instanceId, channel }, 'a console could not be opened');
    const refusal = isKnown ? error.message : "The host can't open this console at the moment.";
    const socket = await this.#dial(console, refusal).catch(() => null);
    socket?.destroy();
  }

  /** A connection to the server that asks, straight or through another one. */
  async #dial({ id, serverUrl, ticket }: OfferedConsole, refusal?: string): Promise<Socket> {
    const query = refusal === undefined ? '' : `?refusal=${encodeURIComponent(refusal.slice(0, refusalLengthMax))}`;
    let failure: unknown;
    for (const url of new Set([serverUrl, ...this.#parts.serverUrls])) {
      try {
        const place = new URL(consolePath(id) + query, url);
        return await upgrade(place, consoleProtocol, { authorization: `Bearer ${ticket}` }, dialMs);
      } catch (error) {
        failure = error;
        if (error instanceof NotUpgraded && error.status === 204) break;
      }
    }
    throw failure;
  }

  async #hold<End extends Duplex>(end: End): Promise<End> {
    this.#open.add(end);
    end.once('close', () => this.#open.delete(end));
    if (this.#isStopping) end.destroy();
    return end;
  }
}
