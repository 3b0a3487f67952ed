// Runs in a network of its own, where 11.22.33.44 is a public address and 127.0.0.1 the host's loopback, both with a
// server on the same port, and tells what a store with a lookup of changing mind has reached. For address.test.ts.

import type { LookupAddress } from 'node:dns';
import { mkdtempSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import type { Lookup } from '../../../src/agent/image/address-guard.ts';
import { ImageStore } from '../../../src/agent/image/store.ts';
import { rawImage } from './fixtures.ts';
import { serve } from './image-server.ts';

const port = 8080;
const [publicAddress, privateAddress] = ['11.22.33.44', '127.0.0.1'];
const content = rawImage(64 * 1024);
const seen = { public: 0, private: 0 };

/** Cut off the first time, so that a second connection, and with it a second lookup, is made. */
const publicHandler: RequestListener = (request, response) => {
  if (request.url === '/moved.raw') response.writeHead(302, { location: '/a.raw' }).end();
  else serve(request, response, { content }, request.headers.range ? undefined : 10_000);
};
const servers = [
  createServer(publicHandler).on('connection', () => {
    seen.public += 1;
  }),
  createServer((request, response) => serve(request, response, { content })).on('connection', () => {
    seen.private += 1;
  }),
] as const;
await new Promise<void>((resolve) => servers[0].listen(port, publicAddress, resolve));
await new Promise<void>((resolve) => servers[1].listen(port, privateAddress, resolve));

/** Fetches with a lookup that gives `answers` one after the other, the last one from then on. */
async function outcome(
  path: string,
  ...answers: string[][]
): Promise<{ code: string; public: number; private: number }> {
  let calls = 0;
  const lookup: Lookup = (_hostname, _options, callback) => {
    const addresses = answers[Math.min(calls, answers.length - 1)] ?? [];
    calls += 1;
    callback(
      null,
      addresses.map((address): LookupAddress => ({ address, family: 4 })),
    );
  };
  Object.assign(seen, { public: 0, private: 0 });
  const store = new ImageStore({
    directory: mkdtempSync(join(process.argv[2] ?? '', 'store-')),
    allowHosts: [],
    limits: { retryBaseMs: 5, attemptsMax: 3, freeBytesMin: 0 },
    clock: { now: () => new Date() },
    logger: { info: () => {}, warn: () => {} },
    inUse: async () => new Set(),
    lookup,
  });
  await store.open();
  const wanted = store.ensure(
    `http://mirror.example:${port}${path}`,
    { diskBytes: 2 ** 30 },
    () => {},
    new AbortController().signal,
  );
  const code = await wanted.then(
    () => 'ready',
    (error: { code?: string }) => error.code ?? String(error),
  );
  return { code, ...seen };
}

const results = {
  steady: await outcome('/a.raw', [publicAddress]),
  changing: await outcome('/a.raw', [publicAddress], [privateAddress]),
  redirected: await outcome('/moved.raw', [publicAddress], [privateAddress]),
  both: await outcome('/a.raw', [publicAddress, privateAddress]),
  bothTurned: await outcome('/a.raw', [privateAddress, publicAddress]),
};
for (const server of servers) server.close();
process.stdout.write(JSON.stringify(results));
