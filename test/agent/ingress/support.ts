// What the tests of the ingress share: ingresses on addresses of their own, a stand-in for containers, and a client that trusts
// the ingress's authority and nobody else.

import { chmod, mkdtemp, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { Ingress, type IngressParts } from '../../../src/agent/ingress/caddy.ts';
import { processIds, processProgram, processWorkingDirectory } from '../../../src/host/process.ts';

/** Any user without privileges will do. */
const nobody = { uid: 65534, gid: 65534 };

/** A folder that Caddy's user can pass. */
export async function ingressDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-test-ingress-'));
  await chmod(directory, 0o711);
  return join(directory, 'ingress');
}

/** An ingress as production makes it for this machine alone. */
export function makeIngress(directory: string, address: string, changes: Partial<IngressParts> = {}): Ingress {
  const logger = { info: () => {}, warn: () => {} };
  const own = { domain: 'localhost', isPublic: false, email: null, port: undefined, user: nobody, logger };
  return new Ingress({ directory, address, ...own, ...changes });
}

/** Process ids of the Caddys of a folder. */
export function caddiesOf(directory: string): number[] {
  const works = (pid: number) => processWorkingDirectory(pid) === join(directory, 'run');
  return processIds().filter((pid) => processProgram(pid) === 'caddy' && works(pid));
}

/** An answer, read to its end. */
export interface Page {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  text: string;
}

/** What a client asks besides the name. */
export interface Asking {
  path?: string;
  /** The Host header, where that is not the name. */
  host?: string;
  headers?: Record<string, string>;
}

/** A request under a name, to an ingress's address. The name's certificate is checked. */
export async function ask(
  ingress: Ingress,
  address: string,
  name: string,
  asking: Asking = {},
): Promise<https.RequestOptions> {
  const { place, rootCertificate } = ingress;
  const headers = { host: asking.host ?? name, ...asking.headers };
  const ca = await readFile(rootCertificate);
  return {
    host: address,
    port: place?.port,
    servername: name,
    ca,
    path: asking.path ?? '/',
    headers,
    agent: false,
    timeout: 20_000,
  };
}

/** Reads a page. */
export async function page(ingress: Ingress, address: string, name: string, asking: Asking = {}): Promise<Page> {
  const options = await ask(ingress, address, name, asking);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    https.get(options, resolve).on('error', reject);
  });
  return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
}

/** A stand-in for a container. */
export interface Upstream {
  server: Server;
  /** Where it listens, as routes say it. */
  place: string;
}

/**
 * Starts a stand-in that tells what it was asked. `/slow` begins an answer that `/finish` ends; an upgrade gets a WebSocket
 * that echoes.
 */
export async function startUpstream(name: string): Promise<Upstream> {
  const waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    if (request.url === '/slow') {
      response.write('begun\n');
      waiting.push(() => response.end('finished\n'));
    } else if (request.url === '/finish') {
      for (const finish of waiting.splice(0)) finish();
      response.end();
    } else {
      const length = (await buffer(request)).length;
      response.end(JSON.stringify({ name, url: request.url, headers: request.headers, length }));
    }
  });
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, place: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}
