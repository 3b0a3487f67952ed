import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Lookup } from '../../../src/agent/image/address-guard.ts';
import { openStore, rawImage, run, scratch } from './fixtures.ts';
import { serve, startServer } from './image-server.ts';

const content = rawImage(64 * 1024);

/** A lookup that gives one list of addresses after the other; the last one again and again. */
function answering(...answers: string[][]): Lookup {
  let calls = 0;
  return (_hostname, _options, callback) => {
    const addresses = answers[Math.min(calls, answers.length - 1)] ?? [];
    calls += 1;
    callback(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
}

test('a URL that is not one of a public disk image is refused before anything is asked', async (t) => {
  const one = await openStore(t);
  for (const url of [
    'ftp://mirror.example/a.raw',
    'file:///etc/passwd.raw',
    'a.raw',
    'http://mirror.example/a.iso',
    'http://mirror.example/a',
    'http://user:pw@mirror.example/a.raw',
    `http://mirror.example/${'a'.repeat(3000)}.raw`,
  ]) {
    const failure = await one.failure(url);
    assert.equal(failure.code, 'image.url', url);
    assert.equal(failure.permanent, true, url);
  }
  assert.deepEqual(one.files(), []);
});

test('a loopback or private address is refused, written out, by name, or by a redirect', async (t) => {
  const secret = await startServer(t, (request, response) => serve(request, response, { content }));
  const port = secret.host.split(':')[1];
  const targets = [
    `${secret.origin}/a.raw`,
    `http://localhost:${port}/a.raw`,
    `http://2130706433:${port}/a.raw`,
    `http://[::ffff:127.0.0.1]:${port}/a.raw`,
    `http://0.0.0.0:${port}/a.raw`,
    'http://169.254.169.254/latest/meta-data/a.raw',
  ];
  const server = await startServer(t, (request, response) => {
    const target = targets[Number(request.url?.split('/')[1])];
    response.writeHead(302, { location: target }).end();
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  for (const [index, target] of targets.entries()) {
    for (const url of [target, `${server.origin}/${index}/a.raw`]) {
      const failure = await one.failure(url);
      assert.equal(failure.code, 'image.address', `${url}: ${failure.message}`);
      assert.equal(failure.permanent, true, url);
      assert.match(failure.message, /is not a public address/);
    }
  }
  assert.equal(secret.requests.length, 0);
  assert.deepEqual(one.files(), []);
});

test('an allowed name may be private', async (t) => {
  const server = await startServer(t, (request, response) => serve(request, response, { content }));
  const port = server.host.split(':')[1];
  const lookup = answering(['127.0.0.1']);
  const one = await openStore(t, { allowHosts: [`mirror.internal:${port}`], lookup });
  await one.ensure(`http://mirror.internal:${port}/a.raw`);
  assert.equal((await one.failure(`http://other.internal:${port}/a.raw`)).code, 'image.address');
  assert.equal(server.requests.length, 1);
});

test('a name that changes between check and use reaches nothing private, nor does a proxy of the environment', (t) => {
  // Public addresses are needed for this, so it happens in a network of its own that has no way out.
  const script = join(import.meta.dirname, 'rebinding-child.ts');
  const setup = 'ip link set lo up && ip address add 11.22.33.44/32 dev lo && exec "$0" "$1" "$2"';
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const result = spawnSync('unshare', [...asRoot, '--net', 'sh', '-c', setup, process.execPath, script, scratch(t)], {
    encoding: 'utf8',
    timeout: 60_000,
    // The private server would be the proxy, and count what it is asked.
    env: { ...process.env, NODE_USE_ENV_PROXY: '1', http_proxy: 'http://127.0.0.1:8080', NO_PROXY: '', no_proxy: '' },
  });
  assert.equal(result.status, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), {
    steady: { code: 'ready', public: 2, private: 0 },
    changing: { code: 'image.address', public: 1, private: 0 },
    redirected: { code: 'image.address', public: 1, private: 0 },
    both: { code: 'image.address', public: 0, private: 0 },
    bothTurned: { code: 'image.address', public: 0, private: 0 },
  });
});

test('redirects are followed five times, and not a sixth', async (t) => {
  const server = await startServer(t, (request, response) => {
    const left = Number(request.url?.split('/')[1]);
    if (left === 0) serve(request, response, { content });
    else response.writeHead(left % 2 ? 302 : 308, { location: `../${left - 1}/a.raw` }).end('moved');
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  await one.ensure(`${server.origin}/5/a.raw`);
  const failure = await one.failure(`${server.origin}/6/a.raw`);
  assert.equal(failure.code, 'image.redirect');
  assert.match(failure.message, /more than 5 times/);
  assert.equal(server.requests.length, 6 + 6);
});

test('a redirect to something that is not http, or nowhere, is refused', async (t) => {
  let location: string | undefined;
  const server = await startServer(t, (_request, response) => {
    response.writeHead(301, location === undefined ? {} : { location }).end();
  });
  const one = await openStore(t, { allowHosts: [server.host] });
  for (const target of [
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'http://',
    `http://u:p@${server.host}/`,
    undefined,
  ]) {
    location = target;
    const failure = await one.failure(`${server.origin}/a.raw`);
    assert.equal(failure.code, 'image.redirect', failure.message);
  }
  assert.deepEqual(one.files(), []);
});

test('https is verified, and a redirect from it to http is refused', async (t) => {
  const directory = scratch(t);
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  run('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject]);
  const plain = await startServer(t, (request, response) => serve(request, response, { content }));
  const certificate = run('cat', [cert]).toString();
  const secure = createServer({ key: run('cat', [key]), cert: certificate }, (request, response) => {
    if (request.url === '/moved.raw') response.writeHead(302, { location: `${plain.origin}/a.raw` }).end();
    else serve(request, response, { content });
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => secure.close(resolve)));
  const host = `127.0.0.1:${(secure.address() as AddressInfo).port}`;

  const trusting = await openStore(t, { allowHosts: [host, plain.host], certificateAuthorities: certificate });
  await trusting.ensure(`https://${host}/a.raw`);
  const moved = await trusting.failure(`https://${host}/moved.raw`);
  assert.equal(moved.code, 'image.redirect');
  assert.match(moved.message, /from https to http/);
  assert.equal(plain.requests.length, 0);

  const wary = await openStore(t, { allowHosts: [host] });
  const failure = await wary.failure(`https://${host}/a.raw`);
  assert.equal(failure.code, 'image.tls', failure.message);
  assert.equal(failure.permanent, true);
});
