// HTTP's own way to a connection that carries anything: a request that asks for another protocol (RFC 9110, 7.8).

import { Agent as HttpAgent, request as httpRequest, STATUS_CODES } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

/** A peer that says nothing for this long is asked whether it is there. */
const keepAliveMs = 15_000;

/** The server answered, and did not change the protocol. */
export class NotUpgraded extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the server answered ${status}`);
    this.name = 'NotUpgraded';
    this.status = status;
  }
}

/**
 * Asks a server for another protocol.
 * @returns the connection, from the first byte after the server's answer on
 * @throws NotUpgraded; Error of the connection, or when there is no answer within `timeoutMs`
 */
export function upgrade(
  url: URL,
  protocol: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Socket> {
  const options = { headers: { ...headers, connection: 'upgrade', upgrade: protocol } };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: new HttpsAgent({ keepAlive: false }) })
        : httpRequest(url, { ...options, agent: new HttpAgent({ keepAlive: false }) });
    const patience = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.once('close', () => clearTimeout(patience));
    request.on('error', reject);
    request.once('response', (response) => {
      response.resume();
      reject(new NotUpgraded(response.statusCode ?? 0));
    });
    request.once('upgrade', (_response, socket, head) => {
      clearTimeout(patience);
      prepare(socket, head);
      resolve(socket);
    });
    request.end();
  });
}

/** Takes such a request. What it came on is the connection from then on. */
export function acceptUpgrade(socket: Socket, head: Buffer, protocol: string): void {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  // The server's own sockets stay open while a client has ended; this one is worth nothing then.
  socket.once('end', () => socket.end());
  prepare(socket, head);
}

/** Answers such a request with a status alone. */
export function refuseUpgrade(socket: Socket, status: number): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close'];
  // Neither 1xx nor 204 has a body, nor says how long it is.
  if (status !== 204) lines.push('Content-Length: 0');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  // Not merely ended: no server bounds how long its peer may keep it half open.
  socket.destroySoon();
}

function prepare(socket: Socket, head: Buffer): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  if (head.length > 0) socket.unshift(head);
}
