// A server of ISO images for tests, which answers well and badly.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that a test started. */
export interface IsoServer {
  /** `HOST:PORT`, for whoever allows it. */
  host: string;
  /** The URL of one of its paths. */
  url(path: string): string;
  close(): Promise<void>;
}

/** As much of an ISO image as tells that it is one. */
const iso = Buffer.alloc(36 * 1024);
iso.write('\x01CD001', 32_768, 'latin1');

/** What its paths do: `/good.iso` and `/good` are an image, for `/slow` there is no answer, the rest is in the names. */
function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
  const [, first = 0, last = 0] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '')?.map(Number) ?? [];
  if (url === '/good.iso') response.writeHead(206).end(iso.subarray(first, last + 1));
  else if (url === '/good') response.end(iso);
  else if (url === '/page') response.end('<html>'.repeat(10_000));
  else if (url === '/short') response.writeHead(416).end();
  else if (url === '/moved') response.writeHead(302, { location: '/good.iso' }).end();
  else if (url === '/loop') response.writeHead(302, { location: '/loop' }).end();
  else if (url === '/private') response.writeHead(302, { location: 'http://127.0.0.2:9/good.iso' }).end();
  else if (url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
  else if (url === '/broken') response.destroy();
  else if (url !== '/slow') response.writeHead(404).end();
}

/** Starts one. */
export async function startIsoServer(): Promise<IsoServer> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: (path) => `http://${host}${path}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
