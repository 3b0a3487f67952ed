// A server of disk images for tests, which answers well and badly. Its images are no more than their first bytes.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that a test started. */
export interface ImageServer {
  /** `HOST:PORT`, for whoever allows it. */
  host: string;
  /** The URL of one of its paths. */
  url(path: string): string;
  /** Lets `/busy.qcow2` be an image from now on. */
  recover(): void;
  close(): Promise<void>;
}

const qcow2 = Buffer.alloc(512);
qcow2.write('QFI\xfb\0\0\0\x03', 'latin1');
const raw = Buffer.alloc(512);
raw.writeUInt16BE(0x55aa, 510);

/** Starts one. What its paths do is in their names; for `/slow.qcow2` there is no answer. */
export async function startImageServer(): Promise<ImageServer> {
  let isBusy = true;
  const bodies: Record<string, Buffer | string> = {
    ...{ '/good.qcow2': qcow2, '/raw.raw': raw, '/raw.qcow2': raw, '/packed.raw.gz': '\x1f\x8b\x08' },
    '/page.qcow2': '<html></html>',
  };
  const answer = ({ url = '' }: IncomingMessage, response: ServerResponse) => {
    const body = bodies[url] ?? (url === '/busy.qcow2' && !isBusy ? qcow2 : undefined);
    if (typeof body === 'string') response.end(Buffer.from(body, 'latin1'));
    else if (body) response.end(body);
    else if (url === '/busy.qcow2') response.writeHead(503).end();
    else if (url === '/loop.qcow2') response.writeHead(302, { location: url }).end();
    else if (url === '/private.qcow2') response.writeHead(302, { location: 'http://127.0.0.2:9/a.qcow2' }).end();
    else if (url !== '/slow.qcow2') response.writeHead(404).end();
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: (path) => `http://${host}${path}`,
    recover: () => {
      isBusy = false;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
