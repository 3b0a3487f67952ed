import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gz, mib, openStore, rawImage, sha256, type TestStore } from './fixtures.ts';
import { etagOf, serve, startRawServer, startServer, type TestServer } from './image-server.ts';

const content = rawImage(mib);

test('an answer that says no is final, and named with its status and URL', async (t) => {
  for (const [status, words] of [
    [404, '404 Not Found'],
    [403, '403 Forbidden'],
    [410, '410 Gone'],
    [204, '204 No Content'],
    [300, '300 Multiple Choices'],
    [304, '304 Not Modified'],
  ] as const) {
    const server = await startServer(t, (_request, response) => response.writeHead(status).end());
    const one = await openStore(t, { allowHosts: [server.host] });
    const failure = await one.failure(`${server.origin}/images/a.raw?signature=secret`);
    assert.equal(failure.code, 'image.http');
    assert.equal(failure.permanent, true);
    assert.equal(failure.message, `The image server answered ${words} for ${server.origin}/images/a.raw.`);
    assert.equal(server.requests.length, 1);
    assert.deepEqual(one.files(), []);
  }
});

test('the reason that Berth gives for an image it could not build is passed on', async (t) => {
  const server = await startServer(t, (_request, response) => {
    response.writeHead(424, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'failed', error: 'The package mirror\ncan not be reached.' }));
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  const { message } = await one.failure(`${server.origin}/a.raw`);
  assert.match(message, /answered 424 Failed Dependency for .*: The package mirror can not be reached\.$/);
});

test('a server that is not well is asked again, a few times', async (t) => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    let left = 2;
    const server = await startServer(t, (request, response) => {
      left -= 1;
      if (left >= 0) response.writeHead(status).end();
      else serve(request, response, { content });
    });
    const one = await openStore(t, { allowHosts: [server.host] });
    assert.equal((await one.ensure(`${server.origin}/a.raw`)).sha256, sha256(content), `${status}`);
    left = 1000;
    const failure = await one.failure(`${server.origin}/b.raw`);
    assert.equal(failure.code, 'image.unavailable');
    assert.equal(failure.permanent, false);
    assert.match(failure.message, new RegExp(`answered ${status} `));
    assert.equal(server.requests.length, 3 + 3);
  }
});

test('a server that can not be reached is told from one that says no', async (t) => {
  const server = await startServer(t, () => {});
  await server.close();
  const one = await openStore(t, { allowHosts: [server.host] });
  const refused = await one.failure(`${server.origin}/a.raw`);
  assert.equal(refused.code, 'image.unreachable');
  assert.equal(refused.permanent, false);
  const lost = await openStore(t, {
    lookup: (hostname, _options, callback) =>
      callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), []),
  });
  const unknown = await lost.failure('http://no-such-host.example/a.raw');
  assert.equal(unknown.code, 'image.unreachable');
  assert.match(unknown.message, /name no-such-host\.example can't be resolved/);
  assert.deepEqual(lost.files(), []);
});

test('an image that its server is still building is waited for, and each step is told once', async (t) => {
  const steps = ['Fetching packages', 'Fetching packages', 'Making the disk', ''];
  const server = await startServer(t, (request, response) => {
    const step = steps.shift();
    if (step === undefined) return serve(request, response, { content });
    response.writeHead(503, { 'retry-after': '0' });
    response.end(step ? JSON.stringify({ status: 'building', step }) : 'come again');
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  await one.ensure(`${server.origin}/a.raw`);
  const told = one.steps.filter(({ kind }) => kind === 'image.build').map(({ message }) => message);
  assert.deepEqual(told, [
    'The image is being built: Fetching packages',
    'The image is being built: Making the disk',
    'The image is being built: its server asks to wait',
  ]);
});

test('a build that never ends is not waited for without end', async (t) => {
  const server = await startServer(t, (_request, response) => {
    response.writeHead(503, { 'retry-after': '3600' }).end(JSON.stringify({ status: 'building', step: 'x' }));
  });
  const one = await openStore(t, { allowHosts: [server.host], limits: { buildWaitMs: 100, retryMaxMs: 20 } });
  const failure = await one.failure(`${server.origin}/a.raw`);
  assert.equal(failure.code, 'image.deadline');
  assert.equal(failure.permanent, true);
  assert.match(failure.message, /still being built/);
  assert.equal(server.requests.length, 6);
});

test('a download that is cut short is resumed where it ended', async (t) => {
  for (const file of [
    { content },
    { content, etag: null, lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' },
    { content, etag: 'W/"weak"', lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' },
  ]) {
    const server = await startServer(t, (request, response) => serve(request, response, file, 300_000));
    const one = await openStore(t, { allowHosts: [server.host] });
    assert.equal((await one.ensure(`${server.origin}/a.raw`)).sha256, sha256(content));
    const asked = server.requests.map(({ headers }) => headers.range);
    assert.deepEqual(asked, [undefined, 'bytes=300000-', 'bytes=600000-', 'bytes=900000-']);
    const version = file.etag === undefined ? etagOf(content) : file.lastModified;
    assert.deepEqual(new Set(server.requests.slice(1).map(({ headers }) => headers['if-range'])), new Set([version]));
  }
});

test('a download that is cut short again and again ends with how far it came, and leaves nothing', async (t) => {
  for (const etag of [null, undefined]) {
    const server = await startServer(t, (request, response) => {
      // The first server knows no ranges; the second has no more than this to give.
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      serve(request, response, etag === null ? { content, etag } : { content }, Math.max(0, 300_000 - from));
    });
    const one = await openStore(t, { allowHosts: [server.host] });
    const failure = await one.failure(`${server.origin}/a.raw`);
    assert.equal(failure.code, 'image.truncated');
    assert.equal(failure.permanent, true);
    assert.match(failure.message, /ended after 300000 of 1048576 bytes/);
    assert.deepEqual(one.files(), []);
    assert.equal(server.requests.length, 3);
  }
});

test('a chunked download that is cut short is not taken for a whole one', async (t) => {
  const server = await startServer(t, (_request, response) => {
    response.write(content.subarray(0, 300_032));
    response.socket?.end();
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  const failure = await one.failure(`${server.origin}/a.raw`);
  assert.equal(failure.code, 'image.truncated');
  assert.match(failure.message, /ended after 293 KiB\./);
  assert.deepEqual(one.files(), []);
});

test('bytes beyond what was promised are refused', async (t) => {
  const head = (lines: string) => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`;
  const small = rawImage(1024);
  const longer = await startRawServer(t, (socket) => {
    socket.end(Buffer.concat([Buffer.from(head('Content-Length: 1024')), small, Buffer.alloc(512)]));
  });
  const closing = await startRawServer(t, (socket) => {
    socket.end(Buffer.concat([Buffer.from(head('Content-Length: 1024\r\nConnection: close')), small, Buffer.alloc(9)]));
  });
  for (const server of [longer, closing]) {
    const one = await openStore(t, { allowHosts: [server.host] });
    const failure = await one.failure(`${server.origin}/a.raw`);
    assert.equal(failure.code, 'image.too-long', failure.message);
    assert.equal(failure.permanent, true);
    assert.match(failure.message, /more than the 1024 bytes it had promised/);
    assert.deepEqual(one.files(), []);
  }
});

test('a resumed part that is longer than the whole was promised to be is refused', async (t) => {
  const server = await startServer(t, (request, response) => {
    if (!request.headers.range) return serve(request, response, { content }, 300_000);
    response.writeHead(206, { etag: etagOf(content), 'content-range': `bytes 300000-${mib - 1}/${mib}` });
    response.end(content);
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  const failure = await one.failure(`${server.origin}/a.raw`);
  assert.equal(failure.code, 'image.too-long', failure.message);
  assert.deepEqual(one.files(), []);
});

test('a file that changed while it was fetched is fetched anew', async (t) => {
  const other = rawImage(mib, 'other');
  // One server follows If-Range; the other ones ignore it, or no longer have a range that far.
  const answers: ((request: Parameters<typeof serve>[0], response: Parameters<typeof serve>[1]) => void)[] = [
    (request, response) => serve(request, response, { content: other }),
    (request, response) => {
      delete request.headers['if-range'];
      serve(request, response, { content: other });
    },
    (request, response) => {
      if (request.headers.range) response.writeHead(416).end();
      else serve(request, response, { content: other });
    },
  ];
  for (const answer of answers) {
    let first = true;
    const server = await startServer(t, (request, response) => {
      if (first) serve(request, response, { content }, 300_000);
      else answer(request, response);
      first = false;
    });
    const one = await openStore(t, { allowHosts: [server.host] });
    assert.equal((await one.ensure(`${server.origin}/a.raw`)).sha256, sha256(other));
  }
});

test('a file that is too large is refused by its announced length, or else by its real one', async (t) => {
  const limits = { downloadBytesMax: 500_000 };
  const announced = await startServer(t, (request, response) => serve(request, response, { content }));
  const one = await openStore(t, { allowHosts: [announced.host], limits });
  const failure = await one.failure(`${announced.origin}/a.raw`);
  assert.equal(failure.code, 'image.too-large');
  assert.equal(failure.permanent, true);
  assert.match(failure.message, /is 1 MiB; at most 488\.3 KiB are allowed/);
  assert.deepEqual(one.files(), []);
  assert.deepEqual(
    one.steps.filter(({ kind }) => kind === 'image.download'),
    [],
  );

  const silent = await startServer(t, (_request, response) => {
    response.write(content.subarray(0, 400_000));
    response.end(content.subarray(400_000));
  });
  const two = await openStore(t, { allowHosts: [silent.host], limits });
  const second = await two.failure(`${silent.origin}/a.raw`);
  assert.equal(second.code, 'image.too-large');
  assert.match(second.message, /is larger than 488\.3 KiB/);
  assert.deepEqual(two.files(), []);
  assert.equal(silent.requests.length, 1);
});

test('an encoded answer is refused, and identity is asked for', async (t) => {
  const server = await startServer(t, (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gz(content));
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  const failure = await one.failure(`${server.origin}/a.raw`);
  assert.equal(failure.code, 'image.http');
  assert.match(failure.message, /Content-Encoding "gzip"/);
  assert.equal(server.requests[0]?.headers['accept-encoding'], 'identity');
});

test('a server that is silent, before its answer or within it, is not waited for without end', async (t) => {
  const limits = { headerTimeoutMs: 50, stallTimeoutMs: 50, attemptsMax: 2 };
  const mute = await startServer(t, () => {});
  const one = await openStore(t, { allowHosts: [mute.host], limits });
  const unanswered = await one.failure(`${mute.origin}/a.raw`);
  assert.equal(unanswered.code, 'image.timeout');
  assert.equal(unanswered.permanent, false);
  assert.match(unanswered.message, /did not answer/);
  assert.deepEqual(one.files(), []);

  const stalling = await startServer(t, (request, response) => {
    response.writeHead(200, { 'content-length': content.length, etag: '"1"' });
    if (!request.headers.range) response.write(content.subarray(0, 300_000));
    else response.flushHeaders();
  });
  const two = await openStore(t, { allowHosts: [stalling.host], limits: { ...limits, headerTimeoutMs: 5000 } });
  const stalled = await two.failure(`${stalling.origin}/a.raw`);
  assert.equal(stalled.code, 'image.timeout');
  assert.match(stalled.message, /sent nothing for .* of 1048576 bytes/);
});

test('a server that trickles is given up at the deadline', async (t) => {
  const server = await startServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    const timer = setInterval(() => response.write(content.subarray(0, 1)), 5);
    response.on('close', () => clearInterval(timer));
  });
  const one = await openStore(t, { allowHosts: [server.host], limits: { deadlineMs: 150 } });
  const failure = await one.failure(`${server.origin}/a.raw`);
  assert.equal(failure.code, 'image.deadline');
  assert.equal(failure.permanent, true);
  assert.deepEqual(one.files(), []);
});

test('the deadline holds while another attempt is waited for', async (t) => {
  const server = await startServer(t, (_request, response) => response.writeHead(500).end());
  const limits = { deadlineMs: 150, retryBaseMs: 100_000, retryMaxMs: 100_000 };
  const one = await openStore(t, { allowHosts: [server.host], limits });
  const failure = await one.failure(`${server.origin}/a.raw`);
  assert.equal(failure.code, 'image.deadline');
  assert.equal(server.requests.length, 1);
});

test('something that is not HTTP is said not to be', async (t) => {
  const server = await startRawServer(t, (socket) => socket.end('220 ftp.example ready\r\n'));
  const one = await openStore(t, { allowHosts: [server.host] });
  const failure = await one.failure(`${server.origin}/a.raw`);
  assert.equal(failure.code, 'image.http');
  assert.match(failure.message, /is not HTTP/);
});

/** Waits until a condition holds; a minute is far past whatever can be expected. */
async function until(holds: () => boolean): Promise<void> {
  for (let left = 6000; left > 0 && !holds(); left -= 1) await sleep(10);
}

/** Leaves the first 300,000 bytes of a download behind, as an agent does that is stopped; gives the part file's path. */
async function leaveHalf(one: TestStore, url: string): Promise<string> {
  const path = (ending: string) =>
    join(one.directory, one.files().find((name) => name.startsWith('part/') && name.endsWith(ending)) ?? 'none');
  const stop = new AbortController();
  const wanted = one.ensure(url, undefined, stop.signal);
  await until(() => existsSync(path('.part')) && statSync(path('.part')).size === 300_000);
  stop.abort(new Error('the agent stops'));
  await assert.rejects(wanted, /the agent stops/);
  await until(() => readFileSync(path('.json'), 'utf8').includes('"syncedBytes":300000'));
  return path('.part');
}

/** A server that sends 300,000 bytes and then nothing, until it is told to send all. */
async function startHalfServer(t: TestContext, whole: Buffer): Promise<TestServer & { sendAll: boolean }> {
  const state = { sendAll: false };
  const server = await startServer(t, (request, response) => {
    if (state.sendAll) return serve(request, response, { content: whole });
    response.writeHead(200, { 'content-length': whole.length, etag: etagOf(whole) });
    response.write(whole.subarray(0, 300_000));
  });
  return Object.assign(state, server);
}

test("a half download outlives the agent's restart and is resumed from there", async (t) => {
  const server = await startHalfServer(t, content);
  const one = await openStore(t, { allowHosts: [server.host] });
  await leaveHalf(one, `${server.origin}/a.raw`);
  server.sendAll = true;
  const two = await one.again();
  assert.equal((await two.ensure(`${server.origin}/a.raw`)).sha256, sha256(content));
  assert.equal(server.requests.at(-1)?.headers.range, 'bytes=300000-');
  assert.deepEqual(two.files(), [`base/${sha256(content)}.raw`]);
});

test('a half download that lost bytes in a power cut is fetched from its start', async (t) => {
  const server = await startHalfServer(t, content);
  const one = await openStore(t, { allowHosts: [server.host] });
  truncateSync(await leaveHalf(one, `${server.origin}/a.raw`), 200_000);
  server.sendAll = true;
  const two = await one.again();
  assert.equal((await two.ensure(`${server.origin}/a.raw`)).sha256, sha256(content));
  assert.equal(server.requests.at(-1)?.headers.range, undefined);
});

test('a half download that was spoilt on the disk is fetched once more, whole', async (t) => {
  const packed = gz(content);
  const server = await startHalfServer(t, packed);
  const one = await openStore(t, { allowHosts: [server.host] });
  const part = await leaveHalf(one, `${server.origin}/a.raw.gz`);
  writeFileSync(part, Buffer.concat([packed.subarray(0, 100_000), Buffer.alloc(200_000)]));
  server.sendAll = true;
  const two = await one.again();
  assert.equal((await two.ensure(`${server.origin}/a.raw.gz`)).sha256, sha256(content));
  const asked = server.requests.slice(1).map(({ headers }) => headers.range);
  assert.deepEqual(asked, ['bytes=300000-', undefined]);
});

test('part files that nobody came back for are removed when the agent starts', async (t) => {
  let whole = false;
  const server = await startServer(t, (request, response) => {
    if (whole) serve(request, response, { content });
    else if (request.headers.range) response.writeHead(503).end();
    else serve(request, response, { content }, 300_000);
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  assert.equal((await one.failure(`${server.origin}/a.raw`)).code, 'image.unavailable');
  assert.equal(one.files().length, 2);
  await one.again();
  assert.equal(one.files().length, 2);
  const old = new Date(one.clock.ms - 25 * 3600_000);
  for (const name of one.files()) utimesSync(join(one.directory, name), old, old);
  const two = await one.again();
  assert.deepEqual(two.files(), []);
  whole = true;
  await two.ensure(`${server.origin}/a.raw`);
  assert.equal(server.requests.at(-1)?.headers.range, undefined);
});
