// Answers what never became a request: bytes that are no HTTP, headers without end, a path that can't be decoded. Clients
// get the same one-field error as from everything else that belongs to no dialect.

import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BerthError } from '../model/errors.ts';
import { nativeError, problemType } from './native/error.ts';
import { base } from './native/operation.ts';

const byCode: Record<string, { status: string; error: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    error: 'The headers are larger than 16 KiB in all; send fewer or shorter ones.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', error: 'The request took too long to arrive.' },
};
const noHttp = { status: '400 Bad Request', error: 'This is not a valid HTTP request.' };

/** Answers on the bare socket, where there is one left to answer on, and closes it. */
export function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { status, error: message } = byCode[error.code ?? ''] ?? noHttp;
  const body = JSON.stringify({ error: message });
  if (socket.writable) {
    const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
    socket.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

/** Answers a path that can't be decoded. */
export function answerBadPath(request: FastifyRequest, reply: FastifyReply): void {
  const message = 'The path holds a % that is not followed by two hexadecimal digits, or no UTF-8.';
  reply.code(400).header('request-id', request.id);
  if (!request.url.startsWith(`${base}/`)) return void reply.send({ error: message });
  const { status, body } = nativeError(new BerthError('malformed', message), request);
  reply.code(status).type(problemType).send(body);
}
