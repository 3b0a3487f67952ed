// The WebSockets of one server: each joins somebody who was let in with a console that the instance's host connects. They are bounded
// in number, looked after while they are open, and told why when they are closed.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket, WebSocketServer } from 'ws';
import type { ConsoleExchange } from '../app/console.ts';
import type { Context } from '../app/context.ts';
import type { DoorVisit } from '../app/door.ts';
import { channelOf } from '../model/door.ts';
import { BerthError, type ErrorCode } from '../model/errors.ts';
import { talkAsExec, talkPlainly } from './web-talk.ts';

/** A person has a few tabs open, a program a few machines. */
const doorsPerCallerMax = 8;
/** Each is two connections and their buffers. */
const doorsMax = 256;
/** Well below the idle time-outs of common proxies (60 s). */
const pingMs = 15_000;
/** Who may be here no longer is shown out within this time. */
const checkEveryMs = 20_000;
/** Larger than what is pasted; a screen's clients send a few bytes at once. */
const messageBytesMax = 1024 * 1024;
/** How long a client has to say good-bye, too. */
const partingMs = 2_000;
/** When the server stops, it has less. */
const stoppingMs = 500;
/** A WebSocket has room for no longer one (RFC 6455, 5.5). */
const reasonBytesMax = 123;

const closeCodes: Partial<Record<ErrorCode, number>> = {
  unauthenticated: 4401,
  forbidden: 4403,
  cross_site: 4403,
  not_found: 4404,
  wrong_state: 4409,
  unsupported: 1008,
  too_many_requests: 1013,
  unavailable: 1013,
};
const internalError = 1011;
const serverStops = 1001;

/** All open doors of one server. */
export class WebDoors {
  readonly #context: Context;
  readonly #exchange: ConsoleExchange;
  readonly #open = new Map<WebSocket, string>();
  #server: Promise<WebSocketServer> | undefined;
  #isStopping = false;

  constructor(context: Context, exchange: ConsoleExchange) {
    this.#context = context;
    this.#exchange = exchange;
  }

  /** Lets somebody in: from here on his connection is a WebSocket. */
  readonly admit = (request: IncomingMessage, socket: Duplex, head: Buffer, visit: DoorVisit): void => {
    this.#server ??= makeServer();
    this.#server.then(
      (server) => server.handleUpgrade(request, socket, head, (web) => void this.#serve(web, visit)),
      (error: unknown) => {
        this.#context.logger.error({ err: error }, 'WebSockets can not be served');
        socket.destroy();
      },
    );
  };

  /** Closes all of them. */
  async close(): Promise<void> {
    this.#isStopping = true;
    for (const web of this.#open.keys()) web.close(serverStops, 'The server is being stopped.');
    const end = performance.now() + stoppingMs;
    while (this.#open.size > 0 && performance.now() < end) await sleep(20);
    for (const web of this.#open.keys()) web.terminate();
  }

  async #serve(web: WebSocket, visit: DoorVisit): Promise<void> {
    // Whatever it was, the connection is closed by it.
    web.on('error', () => {});
    const fault = this.#faultOf(visit);
    if (fault) return close(web, fault);
    this.#open.set(web, visit.owner);
    web.once('close', () => this.#open.delete(web));
    // What comes before there is anything to take it waits.
    web.pause();
    try {
      const { actor, place, door, exec } = visit;
      const connection = await this.#exchange.open(actor, place, channelOf[door], exec);
      this.#join(web, connection, visit);
    } catch (error) {
      if (!(error instanceof BerthError)) this.#context.logger.warn({ err: error }, 'a door could not be opened');
      web.resume();
      close(web, error);
    }
  }

  /** Why there is no room for one more, if there is none. */
  #faultOf({ owner }: DoorVisit): BerthError | undefined {
    if (this.#isStopping) return new BerthError('unavailable', 'The server is being stopped.');
    const own = [...this.#open.values()].filter((one) => one === owner).length;
    if (own >= doorsPerCallerMax) {
      return new BerthError('too_many_requests', `You have ${own} doors open at this server; close one of them first.`);
    }
    if (this.#open.size < doorsMax) return undefined;
    return new BerthError('too_many_requests', `This server has ${doorsMax} doors open; try again in a moment.`);
  }

  #join(web: WebSocket, connection: Duplex, visit: DoorVisit): void {
    const leave = (error: unknown) => {
      connection.destroy();
      close(web, error);
    };
    if (web.readyState !== web.OPEN) return void connection.destroy();
    const watching = this.#watch(web, visit, leave);
    web.once('close', () => {
      watching.stop();
      connection.destroy();
    });
    connection.on('error', () => {});
    connection.once('close', () => {
      // The end of a command was told by itself.
      if (web.readyState !== web.OPEN) return;
      const closed = new BerthError('wrong_state', 'The host has closed it; open it again.');
      visit.check().then(() => leave(closed), leave);
    });
    if (visit.door === 'exec') talkAsExec(web, connection, leave);
    else talkPlainly(web, connection);
    web.resume();
  }

  /** Looks whether the client is there still, and may be. */
  #watch(web: WebSocket, visit: DoorVisit, leave: (error: unknown) => void): { stop(): void } {
    let isAlive = true;
    let isSent = true;
    const sign = () => {
      isAlive = true;
    };
    web.on('pong', sign).on('message', sign);
    const pinging = setInterval(() => {
      // One that has to wait for its host can't be heard; but it has to read.
      if (!isSent || (!isAlive && !web.isPaused)) return web.terminate();
      isAlive = false;
      isSent = false;
      web.ping(undefined, false, () => {
        isSent = true;
      });
    }, pingMs).unref();
    const checking = setInterval(() => {
      visit.check().catch((error: unknown) => {
        if (error instanceof BerthError && error.code in closeCodes) return leave(error);
        this.#context.logger.debug({ err: error }, 'a visitor was not looked at again');
      });
    }, checkEveryMs).unref();
    return {
      stop() {
        clearInterval(pinging);
        clearInterval(checking);
      },
    };
  }
}

/** Loaded where it is needed: most servers are asked for no WebSocket for a while. */
async function makeServer(): Promise<WebSocketServer> {
  const { WebSocketServer: Server } = await import('ws');
  // What is on a console is small or compressed already.
  return new Server({ noServer: true, perMessageDeflate: false, clientTracking: false, maxPayload: messageBytesMax });
}

/** Closes a WebSocket, and says why. */
function close(web: WebSocket, error: unknown): void {
  const isOurs = error instanceof BerthError;
  const reason = isOurs ? error.message : 'The server has failed; try again.';
  web.close((isOurs && closeCodes[error.code]) || internalError, shortened(reason));
  const rude = setTimeout(() => web.terminate(), partingMs).unref();
  web.once('close', () => clearTimeout(rude));
}

/** As much of a text as a WebSocket's end has room for. */
function shortened(text: string): string {
  let short = text;
  while (Buffer.byteLength(short) > reasonBytesMax) short = short.slice(0, -1).toWellFormed();
  return short;
}
