import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import type { Progress } from '../../../src/agent/driver.ts';
import type { CachedImage } from '../../../src/agent/image/store.ts';
import { asQcow2, HandClock, mib, openStore, rawImage, sha256, type TestStore } from './fixtures.ts';
import { etagOf, serve, startServer, type TestServer } from './image-server.ts';

const content = rawImage(mib);
const half = 524_288;

/** A server that sends the first half and keeps the second until it is told to. */
async function startHoldingServer(t: TestContext): Promise<TestServer & { finish: () => void; broken: number }> {
  const held: ServerResponse[] = [];
  const state = {
    broken: 0,
    finish: () => {
      for (const response of held.splice(0)) response.end(content.subarray(half));
    },
  };
  const server = await startServer(t, (request, response) => {
    if (request.headers.range) return serve(request, response, { content });
    response.on('close', () => {
      if (!response.writableFinished) state.broken += 1;
    });
    response.writeHead(200, { 'content-length': content.length, etag: etagOf(content) });
    response.write(content.subarray(0, half));
    held.push(response);
  });
  return Object.assign(state, server);
}

/** One caller: what it was told, a way to leave, and a promise for the moment it has heard of half the bytes. */
function caller(one: TestStore, url: string) {
  const steps: Progress[] = [];
  const stop = new AbortController();
  let heard = () => {};
  const halfWay = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const result: Promise<CachedImage> = one.store.ensure(
    url,
    { diskBytes: 1024 * mib },
    (step) => {
      steps.push(step);
      if (step.done === half) heard();
    },
    stop.signal,
  );
  result.catch(() => {});
  return { steps, stop: () => stop.abort(new Error('left')), halfWay, result };
}

/** A clock on which each look is a second later, so that no step is held back. */
class RunningClock extends HandClock {
  override now(): Date {
    this.ms += 1000;
    return new Date(this.ms);
  }
}

test('callers for one URL share a download, and everyone hears how it goes', async (t) => {
  const server = await startHoldingServer(t);
  const one = await openStore(t, { allowHosts: [server.host], clock: new RunningClock() });
  const callers = Array.from({ length: 10 }, () => caller(one, `${server.origin}/a.raw`));
  await Promise.all(callers.map(({ halfWay }) => halfWay));
  const late = caller(one, `${server.origin}/a.raw`);
  await late.halfWay;
  server.finish();
  const images = await Promise.all([...callers, late].map(({ result }) => result));
  assert.equal(new Set(images.map(({ path }) => path)).size, 1);
  assert.equal(server.requests.length, 1);
  for (const { steps } of [...callers, late]) {
    assert.deepEqual(
      steps.filter(({ kind }) => kind !== 'image.download').map(({ kind }) => kind),
      ['image.verify', 'image.ready'],
    );
    const downloads = steps.filter(({ kind }) => kind === 'image.download');
    assert.equal(downloads.at(-1)?.done, mib);
    assert.equal(downloads.at(-1)?.total, mib);
  }
});

test('one that leaves does not stop the others', async (t) => {
  const server = await startHoldingServer(t);
  const one = await openStore(t, { allowHosts: [server.host], clock: new RunningClock() });
  const [first, second] = [caller(one, `${server.origin}/a.raw`), caller(one, `${server.origin}/a.raw`)];
  await Promise.all([first.halfWay, second.halfWay]);
  first.stop();
  await assert.rejects(first.result, /left/);
  const told = first.steps.length;
  server.finish();
  assert.equal((await second.result).sha256, sha256(content));
  assert.equal(first.steps.length, told);
  assert.equal(server.broken, 0);
});

test('when all have left the download stops, and the next one goes on from there', async (t) => {
  const server = await startHoldingServer(t);
  const one = await openStore(t, { allowHosts: [server.host], clock: new RunningClock() });
  const callers = [caller(one, `${server.origin}/a.raw`), caller(one, `${server.origin}/a.raw`)];
  await Promise.all(callers.map(({ halfWay }) => halfWay));
  for (const { stop } of callers) stop();
  for (const { result } of callers) await assert.rejects(result, /left/);
  // At once, while the one that was stopped may still be closing its files.
  const image = await one.ensure(`${server.origin}/a.raw`);
  assert.equal(image.sha256, sha256(content));
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.range),
    [undefined, `bytes=${half}-`],
  );
  assert.deepEqual(one.files(), [`base/${image.sha256}.raw`]);
});

test('a caller that has already left asks for nothing', async (t) => {
  const server = await startHoldingServer(t);
  const one = await openStore(t, { allowHosts: [server.host] });
  await assert.rejects(one.ensure(`${server.origin}/a.raw`, mib, AbortSignal.abort(new Error('gone'))), /gone/);
  assert.equal(server.requests.length, 0);
});

test('a failure reaches everyone, and the next call tries anew', async (t) => {
  let status = 404;
  const server = await startServer(t, (request, response) => {
    if (status === 404) response.writeHead(404).end();
    else serve(request, response, { content });
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  const failures = await Promise.all([1, 2, 3].map(() => one.failure(`${server.origin}/a.raw`)));
  assert.deepEqual(new Set(failures.map(({ code }) => code)), new Set(['image.http']));
  assert.equal(server.requests.length, 1);
  status = 200;
  await one.ensure(`${server.origin}/a.raw`);
});

test('each disk is held against the image for itself', async (t) => {
  const image = asQcow2(t, rawImage(4 * mib));
  const server = await startServer(t, (request, response) => serve(request, response, { content: image }));
  const one = await openStore(t, { allowHosts: [server.host] });
  const url = `${server.origin}/a.qcow2`;
  const [small, large] = await Promise.all([one.failure(url, mib), one.ensure(url, 4 * mib)]);
  assert.equal(small.code, 'image.size');
  assert.equal(large.virtualSizeBytes, 4 * mib);
  assert.equal(server.requests.length, 1);
});

test('download steps come at most every quarter second, but the first and the last always', async (t) => {
  const server = await startServer(t, (_request, response) => {
    response.setHeader('content-length', 8 * mib);
    response.end(rawImage(8 * mib));
  });
  const standing = await openStore(t, { allowHosts: [server.host] });
  await standing.ensure(`${server.origin}/a.raw`);
  assert.deepEqual(
    standing.steps.map(({ kind, done }) => [kind, done]),
    [
      ['image.download', 0],
      ['image.download', 8 * mib],
      ['image.verify', undefined],
      ['image.ready', undefined],
    ],
  );
  assert.ok(standing.steps.every(({ message }) => message.length > 0));
});

test('no more downloads than allowed run at once', async (t) => {
  let [running, most] = [0, 0];
  const server = await startServer(t, (request, response) => {
    running += 1;
    most = Math.max(most, running);
    setTimeout(() => {
      running -= 1;
      serve(request, response, { content });
    }, 20);
  });
  const one = await openStore(t, { allowHosts: [server.host], limits: { downloadsMax: 2 } });
  const waiting = new AbortController();
  const urls = [1, 2, 3, 4, 5].map((index) => `${server.origin}/${index}.raw`);
  const all = Promise.all(urls.map((url) => one.ensure(url)));
  const leaver = one.ensure(`${server.origin}/6.raw`, mib, waiting.signal);
  waiting.abort(new Error('left the queue'));
  await assert.rejects(leaver, /left the queue/);
  await all;
  assert.equal(most, 2);
  assert.equal(server.requests.length, 5);
});
