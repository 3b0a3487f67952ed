// Images that have to hash to something: the whole file, in the form in which its server has it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { gz, mib, openStore, rawImage, sha256, type TestStore } from './fixtures.ts';
import { serve, startServer } from './image-server.ts';

const content = rawImage(mib);

const ensureAs = (one: TestStore, url: string, sum: string) =>
  one.store.ensure(
    url,
    { diskBytes: 1024 * mib, sha256: sum },
    (step) => one.steps.push(step),
    AbortSignal.timeout(60_000),
  );

async function failureOf(one: TestStore, url: string, sum: string): Promise<DriverFailure> {
  const error: unknown = await ensureAs(one, url, sum).catch((caught: unknown) => caught);
  assert.ok(error instanceof DriverFailure, String(error));
  return error;
}

test('a file that hashes to what it should is taken, compressed or not, and never fetched again', async (t) => {
  const packed = gz(content);
  const server = await startServer(t, (request, response) =>
    serve(request, response, { content: request.url?.endsWith('.gz') ? packed : content }),
  );
  const one = await openStore(t, { allowHosts: [server.host] });
  const plain = await ensureAs(one, `${server.origin}/a.raw`, sha256(content));
  assert.equal(plain.sha256, sha256(content));
  // The checksum is the file's, as its server has it; the base is what is inside, and the same one.
  const unpacked = await ensureAs(one, `${server.origin}/a.raw.gz`, sha256(packed));
  assert.equal(unpacked.path, plain.path);
  assert.equal(server.requests.length, 2);
  one.clock.ms += 24 * 60 * 60_000;
  await ensureAs(one, `${server.origin}/a.raw`, sha256(content));
  assert.equal(server.requests.length, 2);
});

test('two that ask for one image at once share its download', async (t) => {
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const url = `${server.origin}/a.raw`;
  await Promise.all([ensureAs(one, url, sha256(content)), ensureAs(one, url, sha256(content))]);
  assert.equal(server.requests.length, 1);
});

test('a file that hashes to something else is refused for good, and leaves nothing behind', async (t) => {
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const wrong = sha256(rawImage(mib, 'b'));
  const failure = await failureOf(one, `${server.origin}/a.raw?token=secret`, wrong);
  assert.deepEqual([failure.code, failure.permanent], ['image.checksum', true]);
  for (const word of [sha256(content), wrong, `${server.origin}/a.raw`]) assert.ok(failure.message.includes(word));
  assert.ok(!failure.message.includes('secret'));
  assert.deepEqual(one.files(), []);
});

test('what is cached of a URL without a checksum is not taken for what has one', async (t) => {
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const url = `${server.origin}/a.raw`;
  const image = await one.ensure(url);
  const failure = await failureOf(one, url, sha256(rawImage(mib, 'b')));
  assert.equal(failure.code, 'image.checksum');
  // Whoever asks for anything that is there still gets it.
  assert.deepEqual(await one.ensure(url), image);
});

test('bytes of an earlier run that belong to another file are fetched anew', async (t) => {
  const old = rawImage(mib, 'old');
  let isNew = false;
  const server = await startServer(t, (request, response) => {
    // A server that gives the same ETag to whatever it has: resuming mixes the two.
    const file = { content: isNew ? content : old, etag: '"same"' };
    if (isNew) serve(request, response, file);
    else serve(request, response, file, mib / 2);
  });
  const one = await openStore(t, { allowHosts: [server.host], limits: { attemptsMax: 1 } });
  const url = `${server.origin}/a.raw`;
  await assert.rejects(ensureAs(one, url, sha256(content)));
  isNew = true;
  assert.equal((await ensureAs(one, url, sha256(content))).sha256, sha256(content));
});
