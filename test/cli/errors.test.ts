// What goes wrong, each thing of it: every code that the API answers and every way in which a network fails ends with an exit code of
// the documented ones, and says what to do next. Nothing of it prints an answer.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit.ts';
import { type ErrorCode, errorTable } from '../../src/model/errors.ts';
import { startTestBerth } from '../support/berth.ts';
import { type Ended, Person, type RunOptions } from './support.ts';

/** The exit code of each status of the API's. */
const exitsOf: Record<number, number> = {
  400: exitCodes.usage,
  401: exitCodes.access,
  402: exitCodes.conflict,
  403: exitCodes.access,
  404: exitCodes.notFound,
  405: exitCodes.failed,
  409: exitCodes.conflict,
  412: exitCodes.conflict,
  413: exitCodes.usage,
  415: exitCodes.usage,
  422: exitCodes.usage,
  429: exitCodes.unreachable,
  500: exitCodes.unreachable,
  503: exitCodes.unreachable,
};
/** The command line is right, and it can't be done as things stand. */
const isConflict: ReadonlySet<string> = new Set(['no_suitable_offer', 'not_enough_offers', 'quote_too_small']);

/** Where a server listens from now on, until the test is over. */
async function listen(t: TestContext, server: Server): Promise<string> {
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const serve = async (t: TestContext, listener: RequestListener): Promise<string> =>
  `http://${await listen(t, createServer(listener))}`;

/** Where nothing listens. */
async function nowhere(): Promise<string> {
  const server = createTcpServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

/** Asks for a group at a URL. */
const ask = (url: string, options: RunOptions = {}, apiKey = 'berth_key'): Promise<Ended> =>
  new Person({ url, apiKey }).run(['group', 'show', 'grp_1'], options);

function assertTold({ status, out, err }: Ended, exitCode: number, what: string): void {
  assert.equal(status, exitCode, `${what}: ${err}`);
  assert.equal(out, '', what);
  const [first = '', ...next] = err.trimEnd().split('\n');
  assert.match(first, /^berth: ./, what);
  assert.ok(next.join('').length > 10, `${what} says nothing of what to do next: ${err}`);
}

test('every code that the API answers has its exit code and a next step', async (t) => {
  let code: ErrorCode = 'internal';
  const url = await serve(t, (_, response) => {
    const { status } = errorTable[code];
    const problem = { type: 'about:blank', title: '', status, code, detail: `It is ${code}.`, requestId: 'req-17' };
    response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  });
  for (code of Object.keys(errorTable) as ErrorCode[]) {
    const { status } = errorTable[code];
    const ended = await ask(url);
    assertTold(ended, isConflict.has(code) ? exitCodes.conflict : (exitsOf[status] ?? -1), code);
    assert.ok(ended.err.includes(`It is ${code}.`), ended.err);
    assert.equal(ended.err.includes('req-17'), status >= 500, 'the request is named where somebody has to look for it');
  }
});

test('a next step names the command that it is about, and where the key is from', async (t) => {
  let code: ErrorCode = 'not_found';
  const url = await serve(t, (_, response) => {
    const { status } = errorTable[code];
    response.writeHead(status).end(JSON.stringify({ status, code, detail: 'So it is.', requestId: 'r' }));
  });
  assert.match((await ask(url)).err, /"berth group list" shows what there is/);
  code = 'invalid_value';
  assert.match((await ask(url)).err, /"berth group show --help" shows what it takes/);
  code = 'unauthenticated';
  assert.match((await ask(url)).err, /BERTH_API_KEY in the environment/);
});

test('a server that is not there, or not Berth, is told apart from one that refuses', async (t) => {
  const page = (status: number) => serve(t, (_, response) => response.writeHead(status, html).end('<html>no</html>'));
  const html = { 'content-type': 'text/html; charset=utf-8' };
  const hangUp = await listen(
    t,
    createTcpServer((socket) => socket.destroy()),
  );
  const plain = await page(200);
  const cases: [what: string, url: string, words: RegExp][] = [
    ['refused', `http://${await nowhere()}`, /ECONNREFUSED[\s\S]*Is Berth up/],
    ['no such name', 'http://berth.invalid', /(ENOTFOUND|EAI_AGAIN)[\s\S]*Is the name right/],
    ['hangs up', `http://${hangUp}`, /It hung up/],
    ['a page in place of the API', plain, /answered 200 with text\/html, not by Berth's API[\s\S]*URL of a Berth/],
    ['a page that says 404', await page(404), /answered 404 with text\/html[\s\S]*URL of a Berth/],
    ['a proxy without Berth behind it', await page(502), /answered 502[\s\S]*proxy in front/],
    ['no TLS', plain.replace('http:', 'https:'), /speaks no TLS/],
  ];
  for (const [what, url, words] of cases) {
    const ended = await ask(url);
    assertTold(ended, exitCodes.unreachable, what);
    assert.match(ended.err, words, what);
  }
});

test('a certificate that nobody vouches for says how to trust it', async (t) => {
  const { home } = new Person();
  const [key, cert] = ['key', 'cert'].map((name) => join(home, `${name}.pem`)) as [string, string];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=berth.example', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  const where = await listen(t, createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }));
  const ended = await ask(`https://${where}`);
  assertTold(ended, exitCodes.unreachable, 'an unknown authority');
  assert.match(ended.err, /NODE_EXTRA_CA_CERTS/);
});

const server = await startTestBerth();
after(() => server.close());

test('a key that is over, a profile that is none and a URL with a path say what to do', async () => {
  const ann = new Person(server);
  const created = ['api-key', 'create', 'short', '--expires', '2027-01-01', '--quiet'];
  const apiKey = (await ann.text(...created)).trim();
  assert.equal((await new Person({ url: server.url, apiKey }).run(['me'])).status, 0);
  await ann.text('api-key', 'revoke', 'short', '--yes');
  const nobody = new Person();
  const login = (input: string) => nobody.run(['login', server.url], { input });
  assertTold(await login(`${apiKey}\n`), exitCodes.access, 'a revoked key');
  await login(`${server.apiKey}\n`);
  const elsewhere = await nobody.run(['vm', 'list', '--profile', 'work']);
  assert.deepEqual([elsewhere.status, /"berth login --profile work" makes it/.test(elsewhere.err)], [2, true]);
  assertTold(await ask(`${server.url}/console`, {}, server.apiKey), exitCodes.unreachable, 'a path too much');
});

test('where nobody is logged in, every way to do that is told', async () => {
  const { status, err } = await new Person().run(['vm', 'list']);
  assert.equal(status, exitCodes.access);
  assert.match(err, /berth login[\s\S]*BERTH_URL and BERTH_API_KEY/);
});
