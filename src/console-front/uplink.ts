// Where hosts connect consoles: HTTP requests that become the consoles' connections. Whoever shows a console's ticket is its
// host. A connection that another server waits for is passed on to it, so a host needs to reach only one of them.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { consolePath, consoleProtocol, refusalLengthMax } from '../api/agent/contract/console.ts';
import type { ConsoleExchange } from '../app/console.ts';
import { join } from '../host/join.ts';
import { acceptUpgrade, NotUpgraded, refuseUpgrade, upgrade } from '../host/upgrade.ts';

/** A server that answers another at all does so at once. */
const passOnMs = 2_000;
/** Set by a server that passes a connection on, which is done once. */
const passedOnHeader = 'berth-passed-on';

/** What an HTTP server does with requests for another protocol. */
export class ConsoleUplink {
  readonly #exchange: ConsoleExchange;
  readonly #logger: { warn(fields: object, message: string): void };
  readonly #passedOn = new Set<Socket>();

  constructor(exchange: ConsoleExchange, logger: { warn(fields: object, message: string): void }) {
    this.#exchange = exchange;
    this.#logger = logger;
  }

  /** Takes a request; its answer is written to its socket. */
  readonly take = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    // Node's HTTP servers have no others.
    const socket = stream as Socket;
    socket.on('error', () => {});
    this.#take(request, socket, head).catch((error: unknown) => {
      this.#logger.warn({ err: error }, "a host's connection of a console could not be taken");
      if (!socket.destroyed) refuseUpgrade(socket, 503);
    });
  };

  /** Ends the connections that were passed on. */
  close(): void {
    for (const socket of this.#passedOn) socket.destroy();
  }

  async #take(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const place = URL.parse(request.url ?? '/', 'http://server');
    if (!place) return refuseUpgrade(socket, 404);
    const { pathname, search, searchParams } = place;
    const id = pathname.slice(consolePath('').length);
    const ticket = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
    if (request.method !== 'GET' || !pathname.startsWith(consolePath('')) || ticket === undefined) {
      return refuseUpgrade(socket, 404);
    }
    const refusal = searchParams.get('refusal');
    if (refusal === null) {
      const accept = () => {
        acceptUpgrade(socket, head, consoleProtocol);
        return socket;
      };
      if (this.#exchange.connected(id, ticket, accept)) return;
    } else if (this.#exchange.refused(id, ticket, refusal.slice(0, refusalLengthMax))) {
      return refuseUpgrade(socket, 204);
    }
    const server = passedOnHeader in request.headers ? undefined : await this.#exchange.serverOf(id, ticket);
    if (server === undefined) return refuseUpgrade(socket, 404);
    await this.#passOn(new URL(pathname + search, server), ticket, socket, head);
  }

  async #passOn(url: URL, ticket: string, socket: Socket, head: Buffer): Promise<void> {
    const headers = { authorization: `Bearer ${ticket}`, [passedOnHeader]: '1' };
    let further: Socket;
    try {
      further = await upgrade(url, consoleProtocol, headers, passOnMs);
    } catch (error) {
      if (!(error instanceof NotUpgraded)) throw error;
      return refuseUpgrade(socket, error.status);
    }
    this.#passedOn.add(socket);
    acceptUpgrade(socket, head, consoleProtocol);
    await join(socket, further);
    this.#passedOn.delete(socket);
  }
}
