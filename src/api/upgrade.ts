// WebSockets of Berth's own API. Their requests take the way of all others, through routes, rates and who asks, so that a refusal is
// an answer like any other; the route that admits one hands its connection on.

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DoorVisit } from '../app/door.ts';
import { doors } from '../model/door.ts';
import { BerthError } from '../model/errors.ts';
import type { App } from './types.ts';

/** Speaks WebSocket with whoever is let in. */
export interface DoorKeeper {
  admit(request: IncomingMessage, socket: Duplex, head: Buffer, visit: DoorVisit): void;
}

interface Waiting {
  keeper: DoorKeeper;
  socket: Duplex;
  head: Buffer;
  response: ServerResponse;
}

const waiting = new WeakMap<IncomingMessage, Waiting>();
const doorPath = new RegExp(`^/berth/v1/instances/[^/?#]+/(${doors.join('|')})(\\?|$)`);
/** Sixteen random bytes, and the one version that there is (RFC 6455, 4.1). */
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;
const version = '13';

/** Whether a request wants to be a door's WebSocket. */
export const wantsDoor = ({ method, url = '', headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && doorPath.test(url);

/** Sends such a request to the routes. */
export function routeUpgrade(
  app: App,
  keeper: DoorKeeper,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  socket.on('error', () => {});
  const response = new ServerResponse(request);
  // Of a connection that was to be another protocol's nothing more is read.
  response.shouldKeepAlive = false;
  response.assignSocket(socket as never);
  response.once('finish', () => (socket as Duplex & { destroySoon(): void }).destroySoon());
  waiting.set(request, { keeper, socket, head, response });
  app.routing(request, response);
}

/**
 * Holds a request to be a WebSocket's.
 * @throws BerthError `malformed`
 */
export function requireUpgrade({ raw, headers }: FastifyRequest): void {
  const key = headers['sec-websocket-key'];
  const isRight = waiting.has(raw) && typeof key === 'string' && keyPattern.test(key);
  if (isRight && headers['sec-websocket-version'] === version) return;
  throw new BerthError('malformed', `This is a WebSocket (RFC 6455, version ${version}); open it as one.`);
}

/** Lets somebody in whose request {@link requireUpgrade} found right. */
export function letIn({ raw }: FastifyRequest, reply: FastifyReply, visit: DoorVisit): void {
  const given = waiting.get(raw);
  if (!given) throw new Error('A request is let in that wants no WebSocket.');
  const { keeper, socket, head, response } = given;
  reply.hijack();
  response.detachSocket(socket as never);
  keeper.admit(raw, socket, head, visit);
}
