// HTTPS beside HTTP: by an authority that Berth makes for itself and keeps, renewed before it ends and when the server is reached
// by other names; or by the operator's own certificate.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { bareServer } from '../../src/api/server.ts';
import type { App } from '../../src/api/types.ts';
import { makeAuthority, signForServer } from '../../src/compose/certificate.ts';
import { makeLogger } from '../../src/compose/logger.ts';
import { type RunningTls, startTls, type TlsOptions } from '../../src/compose/tls.ts';
import { startUp } from '../../src/compose/up.ts';
import { calm, roomy, until } from '../support/berth.ts';

const entropy = { bytes: (count: number) => randomBytes(count) };
const dayMs = 24 * 60 * 60 * 1000;
const logger = makeLogger(new Writable({ write: (_chunk, _encoding, done) => done() }));
let directory: string;
let app: App;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-tls-'));
  // The database runs as a user of its own, who passes through.
  await chmod(directory, 0o711);
  app = bareServer(false, () => 'id');
  app.get('/', async () => ({ hello: 'there' }));
  app.post('/echo', async (request) => request.body);
  await app.listen({ host: '127.0.0.1', port: 0 });
});
after(async () => {
  await app.close();
  await rm(directory, { recursive: true });
});

interface Asked {
  status: number;
  body: string;
  certificate: X509Certificate;
}

/** One request, by who trusts this authority alone. */
function ask(url: string, ca: string, more: { method?: string; body?: string; servername?: string } = {}) {
  return new Promise<Asked>((resolve, reject) => {
    const { method = 'GET', body, servername } = more;
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request(
      url,
      { method, headers, ca, agent: false, ...(servername ? { servername } : {}) },
      (response) => {
        const certificate = (
          response.socket as never as { getPeerX509Certificate(): X509Certificate }
        ).getPeerX509Certificate();
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, certificate }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

let count = 0;
const own = () => {
  count += 1;
  return join(directory, `own-${count}`);
};

async function serving<Result>(
  options: Partial<TlsOptions> & { directory: string },
  work: (tls: RunningTls) => Promise<Result>,
  { now = new Date(), hosts = [] as string[] } = {},
): Promise<Result> {
  const ground = { app, attach: () => {}, hosts, clock: { now: () => now }, entropy, logger };
  const tls = await startTls(ground, { listen: { host: '127.0.0.1', port: 0 }, ...options });
  try {
    return await work(tls);
  } finally {
    await tls.close();
  }
}

/** Serves for a moment. @returns what tells the certificate that was served from every other */
const served = (place: string, more: Parameters<typeof serving>[2] = {}) =>
  serving(
    { directory: place },
    async () => new X509Certificate(await readFile(join(place, 'server.crt'))).fingerprint256,
    more,
  );

test('who trusts the authority is served, who does not breaks off, and both listeners answer alike', async () => {
  const place = own();
  await serving({ directory: place }, async ({ url, authorityFile }) => {
    assert.equal(authorityFile, join(place, 'ca.crt'));
    const ca = await readFile(authorityFile, 'utf8');
    const answer = await ask(url, ca);
    assert.deepEqual([answer.status, answer.body], [200, '{"hello":"there"}']);
    assert.equal(
      answer.certificate.fingerprint256,
      new X509Certificate(await readFile(join(place, 'server.crt'))).fingerprint256,
    );
    const byName = await ask(url.replace('127.0.0.1', 'localhost'), ca);
    assert.equal(byName.status, 200);
    const echoed = await ask(`${url}/echo`, ca, { method: 'POST', body: '{"a":1}' });
    assert.equal(echoed.body, '{"a":1}');
    const stranger = makeAuthority('Somebody else', new Date(), entropy);
    await assert.rejects(ask(url, stranger.certificate), { code: /UNABLE_TO_VERIFY|SELF_SIGNED|signature/i });
    await assert.rejects(ask(url, ca, { servername: 'elsewhere.example' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
});

test('OpenSSL finds nothing to object to in what is made', async () => {
  const place = own();
  await served(place, { hosts: ['berth.example', '::1'] });
  const verify = ['verify', '-x509_strict', '-CAfile', join(place, 'ca.crt'), join(place, 'server.crt')];
  const { stdout } = await promisify(execFile)('openssl', verify);
  assert.match(stdout, /: OK$/m);
});

test('keys are their owner’s alone, the authority’s certificate is everybody’s', async () => {
  const place = own();
  await served(place);
  const mode = async (file: string) => (await stat(join(place, file))).mode & 0o777;
  assert.deepEqual(await Promise.all(['ca.key', 'server.key', 'ca.crt'].map(mode)), [0o600, 0o600, 0o644]);
});

test('the certificate is kept from start to start, and made anew before it ends, by the same authority', async () => {
  const place = own();
  const first = await served(place);
  const authority = await readFile(join(place, 'ca.crt'), 'utf8');
  assert.equal(await served(place), first);
  assert.equal(await served(place, { now: new Date(Date.now() + 59 * dayMs) }), first);
  const later = await served(place, { now: new Date(Date.now() + 61 * dayMs) });
  assert.notEqual(later, first);
  assert.equal(await readFile(join(place, 'ca.crt'), 'utf8'), authority);
});

test('a server that runs on takes a newer certificate, its own or the operator’s, without a break', async () => {
  const place = own();
  let now = new Date(Date.now() - 61 * dayMs);
  const ground = { app, attach: () => {}, hosts: [], clock: { now: () => now }, entropy, logger };
  const listen = { host: '127.0.0.1', port: 0 };
  const tls = await startTls(ground, { listen, directory: place, lookEveryMs: 20 });
  const authority = makeAuthority('Operator', new Date(), entropy);
  const files = { certificate: join(directory, 'renewed.crt'), key: join(directory, 'renewed.key') };
  const install = async () => {
    const made = signForServer(authority, ['127.0.0.1'], new Date(), entropy);
    await writeFile(files.key, made.key);
    await writeFile(files.certificate, made.certificate);
  };
  await install();
  const operators = await startTls(ground, { listen, directory: place, files, lookEveryMs: 20 });
  try {
    const ca = await readFile(join(place, 'ca.crt'), 'utf8');
    const [first, theirs] = [await ask(tls.url, ca), await ask(operators.url, authority.certificate)];
    now = new Date();
    await install();
    const isNewer = async (before: Asked, url: string, trusted: string) =>
      (await ask(url, trusted)).certificate.fingerprint256 !== before.certificate.fingerprint256;
    await until('its own is renewed', () => isNewer(first, tls.url, ca));
    await until('the operator’s is taken', () => isNewer(theirs, operators.url, authority.certificate));
    await rm(files.key);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await ask(operators.url, authority.certificate)).status, 200, 'what can’t be read changes nothing');
  } finally {
    await tls.close();
    await operators.close();
  }
});

test('a server that is reached by another name gets a certificate for it', async () => {
  const place = own();
  const first = await served(place);
  const second = await served(place, { hosts: ['berth.example'] });
  assert.notEqual(second, first);
  const { subjectAltName } = new X509Certificate(await readFile(join(place, 'server.crt')));
  for (const name of ['DNS:berth.example', 'DNS:localhost', 'IP Address:127.0.0.1']) {
    assert.ok(subjectAltName?.includes(name), subjectAltName);
  }
  assert.equal(await served(place), second, 'a name more does no harm');
});

test('what a kill left half is made anew', async () => {
  const place = own();
  await served(place);
  await rm(join(place, 'server.key'));
  await served(place);
  const other = makeAuthority('Another', new Date(), entropy);
  await writeFile(join(place, 'ca.key'), other.key);
  await served(place);
});

test('the operator’s own certificate is served, and one whose key is another’s refused', async () => {
  const authority = makeAuthority('Operator', new Date(), entropy);
  const certificate = join(directory, 'own.crt');
  const key = join(directory, 'own.key');
  const made = signForServer(authority, ['127.0.0.1'], new Date(), entropy);
  await writeFile(certificate, made.certificate);
  await writeFile(key, made.key);
  const place = own();
  await serving({ directory: place, files: { certificate, key } }, async ({ url, authorityFile }) => {
    assert.equal(authorityFile, null);
    assert.equal((await ask(url, authority.certificate)).status, 200);
  });
  await assert.rejects(stat(place), { code: 'ENOENT' });
  await writeFile(key, signForServer(authority, ['127.0.0.1'], new Date(), entropy).key);
  const refused = serving({ directory: place, files: { certificate, key } }, async () => {});
  await assert.rejects(refused, /own\.key is not the key of .*own\.crt/);
});

test('a port that is taken is an error, or makes way for another where any will do', async () => {
  await serving({ directory: own() }, async ({ url }) => {
    const listen = { host: '127.0.0.1', port: Number(new URL(url).port) };
    await assert.rejects(
      serving({ directory: own(), listen }, async () => {}),
      { code: 'EADDRINUSE' },
    );
    await serving({ directory: own(), listen, anyPort: true }, async (other) => assert.notEqual(other.url, url));
  });
});

test('bytes that are no HTTP are answered as on the other listener, and those that are no TLS harm nobody', async () => {
  await serving({ directory: own() }, async ({ url, authorityFile }) => {
    const port = Number(new URL(url).port);
    await new Promise<void>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => socket.end('GET / HTTP/1.1\r\n\r\n'));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
    assert.equal((await ask(url, await readFile(authorityFile ?? '', 'utf8'))).status, 200);
  });
});

test('a whole Berth: a login by HTTPS, with the authority from its data directory', async () => {
  const place = own();
  const berth = await startUp(
    {
      ...{ dataDirectory: place, listen: '127.0.0.1:0', addressPool: '127.61.128.0/17', allowImageHosts: [] },
      ...{ databaseUrl: undefined, logger, tls: { listen: { host: '127.0.0.1', port: 0 } } },
      agent: { simulated: { behaviour: calm, capacity: roomy } },
    },
    new AbortController().signal,
  );
  try {
    const { username, password } = berth.credentials;
    const ca = await readFile(berth.tls?.authorityFile ?? '', 'utf8');
    assert.equal(berth.tls?.authorityFile, join(place, 'tls', 'ca.crt'));
    const url = `${berth.tls?.url}/session`;
    const login = await ask(url, ca, { method: 'POST', body: JSON.stringify({ username, password }) });
    assert.equal(login.status, 200, login.body);
    assert.equal((await ask(`${url}/${login.body}`, ca)).status, 200);
  } finally {
    await berth.close();
  }
});
