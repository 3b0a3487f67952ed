// Where hosts and other servers are told to reach a server.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { readSettings } from '../../src/app/settings.ts';
import { makeLogger } from '../../src/compose/logger.ts';
import { ensureSecretKey } from '../../src/compose/secret-key.ts';
import { type RunningServer, startServer } from '../../src/compose/server.ts';
import { systemEntropy } from '../../src/compose/system.ts';
import { findPlace } from '../../src/store/embedded/place.ts';
import { startTestBerth, type TestBerth } from '../support/berth.ts';

let berth: TestBerth;
before(async () => {
  berth = await startTestBerth({ addressPool: '127.66.4.0/24' });
});
after(() => berth.close());

/** Starts another server on the same database, and stops it again. @returns what it is reached at, and what it warned of */
async function started(
  host: string,
  reachedAt?: string,
): Promise<Pick<RunningServer, 'url' | 'context'> & { log: string }> {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const { connectionString } = await findPlace(join(berth.directory, 'postgres'));
  const server = await startServer(
    {
      ...{ connectionString, listen: { host, port: 0 }, reachedAt, logger: makeLogger(sink) },
      ...{ settings: await readSettings(join(berth.directory, 'settings.json')), allowedImageHosts: [] },
      ...{ imageDirectory: join(berth.directory, 'other-images'), allowedCallbackHosts: [] },
      secretKey: await ensureSecretKey(join(berth.directory, 'secret.key'), systemEntropy),
    },
    async () => {},
  );
  await server.close();
  return { ...server, log: lines.join('') };
}

test('a server that listens on one address is reached there, and says nothing of it', async () => {
  const { url, context, log } = await started('127.0.0.1');
  assert.equal(context.publicUrl, url);
  assert.doesNotMatch(log, /--reached-at/);
});

test('one that listens everywhere and was not told where it is reached says that hosts elsewhere won’t reach it', async () => {
  const { url, context, log } = await started('0.0.0.0');
  assert.equal(context.publicUrl, url);
  assert.match(log, new RegExp(`give --reached-at http://ADDRESS:${new URL(url).port}`));
});

test('one that was told where it is reached names that, and images may be fetched from there', async () => {
  const { url, context, log } = await started('0.0.0.0', 'https://berth.example.com');
  assert.equal(context.publicUrl, 'https://berth.example.com');
  for (const host of ['berth.example.com:443', new URL(url).host]) assert.ok(context.allowedImageHosts.has(host), host);
  assert.doesNotMatch(log, /--reached-at/);
});
