// Image servers for the tests: real ones, on loopback ports of their own. One serves bytes as a good server does, with
// ranges and validators; what a bad server does is written out in the test that is about it.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A running server and what it was asked. */
export interface TestServer {
  /** HOST:PORT. */
  host: string;
  origin: string;
  requests: IncomingMessage[];
  close: () => Promise<void>;
}

async function listen(server: Server, t: TestContext, sockets: Set<Socket>): Promise<Omit<TestServer, 'requests'>> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  t.after(close);
  return { host, origin: `http://${host}`, close };
}

/** Starts an HTTP server that lives as long as the test. */
export async function startServer(t: TestContext, handler: RequestListener): Promise<TestServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  return { ...(await listen(server, t, new Set())), requests };
}

/** Starts a server that answers each connection with bytes of its own choice, HTTP or not. */
export async function startRawServer(t: TestContext, answer: (socket: Socket) => void): Promise<TestServer> {
  const server = createTcpServer((socket) => socket.once('data', () => answer(socket)));
  return { ...(await listen(server, t, new Set())), requests: [] };
}

/** What a good server knows of a file. */
export interface Served {
  content: Buffer;
  etag?: string | null;
  lastModified?: string;
}

/** The ETag that {@link serve} gives to content. */
export function etagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
}

/**
 * Answers a request for a file as a good server does.
 * @param cutAfter sends only so many bytes of the body and then breaks the connection
 */
export function serve(request: IncomingMessage, response: ServerResponse, file: Served, cutAfter?: number): void {
  const etag = file.etag === undefined ? etagOf(file.content) : file.etag;
  if (etag) response.setHeader('etag', etag);
  if (file.lastModified) response.setHeader('last-modified', file.lastModified);
  response.setHeader('accept-ranges', 'bytes');
  const { headers } = request;
  if (
    (etag && headers['if-none-match'] === etag) ||
    (file.lastModified && headers['if-modified-since'] === file.lastModified)
  ) {
    response.writeHead(304).end();
    return;
  }
  const version = headers['if-range'];
  const range = /^bytes=(\d+)-$/.exec(headers.range ?? '');
  let body = file.content;
  if (range && (version === undefined || version === etag || version === file.lastModified)) {
    const start = Number(range[1]);
    if (start >= file.content.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.content.length}` }).end();
      return;
    }
    body = file.content.subarray(start);
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${start}-${file.content.length - 1}/${file.content.length}`);
  }
  response.setHeader('content-length', body.length);
  if (cutAfter === undefined || cutAfter >= body.length) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  if (cutAfter > 0) response.write(body.subarray(0, cutAfter));
  response.socket?.end();
}
