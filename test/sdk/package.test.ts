// The SDK as its users get it: built, packed, installed elsewhere, and then used in Node and in Chromium against a real Berth.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { startTestBerth, type TestBerth } from '../support/berth.ts';
import { startBrowser } from '../support/browser.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/** What a user's program does, wherever it runs; it tells what it saw as JSON. */
const program = `
  const { Berth, NotFoundError } = await import(sdk);
  const berth = new Berth({ url, apiKey });
  const seen = [];
  const stop = new AbortController();
  const following = (async () => {
    for await (const { kind } of berth.events.stream({ kind: 'instance' }, { signal: stop.signal })) seen.push(kind);
  })();
  const made = await berth.instances.create({ name, image: 'micro', configuration: 'cpu-1-ram-1gb-storage-5gb', sshKeys: [key] });
  const active = await berth.instances.until(made.id, 'active');
  const names = [];
  for await (const one of berth.instances.list({ limit: 1 })) names.push(one.name);
  const refusal = await berth.instances.get('ins_' + '0'.repeat(40)).catch((error) => error);
  const ticket = await berth.instances.createTicket(made.id, { door: 'console' });
  while (!seen.includes('instance.active')) await new Promise((resolve) => setTimeout(resolve, 20));
  await berth.instances.delete(made.id, { purge: true });
  stop.abort();
  await following;
  return { status: active.status, names, isNotFound: refusal instanceof NotFoundError, code: refusal.code, hasTicket: ticket.ticket.length > 20 };
`;

let berth: TestBerth;
let browser: Browser;
let scratch: string;
/** Where the package lies once it is installed. */
let installed: string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'berth-sdk-package-'));
  [berth, browser] = await Promise.all([startTestBerth(), startBrowser()]);
  const source = join(scratch, 'source');
  await mkdir(source);
  for (const file of ['package.json', 'README.md']) await cp(join(root, 'sdk', file), join(source, file));
  const tsc = join(root, 'node_modules/.bin/tsc');
  await run(tsc, ['--project', join(root, 'sdk/tsconfig.json'), '--outDir', join(source, 'dist')]);
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', scratch], { cwd: source });
  const packed = (await readdir(scratch)).find((file) => file.endsWith('.tgz'));
  assert.ok(packed);
  const project = join(scratch, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(scratch, packed)], { cwd: project });
  installed = join(project, 'node_modules/berth-sdk');
});
after(async () => {
  await browser?.close();
  await berth?.close();
  await rm(scratch, { recursive: true, force: true });
});

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGKxPa5zbRF0Fo5mnbJFZqF4jxdWzA6eRnxdPIIBjwrK sdk';
const expected = (name: string) => ({
  ...{ status: 'active', names: [name], isNotFound: true, code: 'not_found', hasTicket: true },
});

test('the package has no dependency, and its own types are those of a program without any others', async () => {
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  assert.deepEqual([manifest.dependencies, manifest.peerDependencies], [undefined, undefined]);
  const project = dirname(dirname(installed));
  await writeFile(
    join(project, 'typed.ts'),
    `import { Berth, type Instance } from 'berth-sdk';
     const berth = new Berth({ url: 'http://127.0.0.1' });
     export const names: Promise<string[]> = berth.instances.list({ kind: 'vm' }).all().then((all: Instance[]) => all.map(({ name }) => name));
     // @ts-expect-error there is no such kind
     berth.instances.list({ kind: 'ship' });`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023,dom'];
  await run(join(root, 'node_modules/.bin/tsc'), [...options, '--types', '', join(project, 'typed.ts')], {
    cwd: project,
  });
});

test('a program in Node deploys, waits, pages, follows events and gets errors as classes', async () => {
  const script = join(dirname(dirname(installed)), 'program.js');
  const given = { sdk: 'berth-sdk', url: berth.url, apiKey: berth.apiKey, name: 'from-node', key };
  const body = `const { ${Object.keys(given).join(', ')} } = ${JSON.stringify(given)};${program}`;
  await writeFile(script, `console.log(JSON.stringify(await (async () => {${body}})()))`);
  const { stdout } = await run(process.execPath, [script], { timeout: 120_000 });
  assert.deepEqual(JSON.parse(stdout), expected('from-node'));
});

/** A file of the package as it is installed, or the page that is to use it. */
async function ownFile(path: string): Promise<{ contentType: string; body: string }> {
  if (path === '') return { contentType: 'text/html', body: '<title>own</title>' };
  assert.ok(!path.includes('..') && basename(path).endsWith('.js'));
  return { contentType: 'text/javascript', body: await readFile(join(installed, 'dist', path), 'utf8') };
}

/** A site of somebody's own that has the SDK. @returns where it is */
async function siteElsewhere(): Promise<{ url: string; close(): void }> {
  const server = createServer(async ({ url = '' }, response) => {
    const file = await ownFile(url.replace('/own/', '')).catch(() => null);
    response.writeHead(file ? 200 : 404, { 'content-type': file?.contentType ?? 'text/plain' }).end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** What the program sees in a page of a site. */
async function seenAt(site: string, name: string): Promise<unknown> {
  const page = await browser.newPage();
  // At Berth's own address it is as a reverse proxy would serve it.
  if (site === berth.url) {
    await page.route('**/own/**', async (route) =>
      route.fulfill(await ownFile(new URL(route.request().url()).pathname.replace('/own/', ''))),
    );
  }
  await page.goto(`${site}/own/`);
  const given = { sdk: '/own/index.js', url: berth.url, apiKey: berth.apiKey, name, key };
  const names = Object.keys(given).join(', ');
  try {
    return await page.evaluate(`(async ({ ${names} }) => {${program}})(${JSON.stringify(given)})`);
  } finally {
    await page.close();
  }
}

test('and so does a page in Chromium', async () => {
  assert.deepEqual(await seenAt(berth.url, 'from-chromium'), expected('from-chromium'));
});

test('a page of another site does where the operator has named it, and nowhere else', async () => {
  const [named, other] = [await siteElsewhere(), await siteElsewhere()];
  try {
    await assert.rejects(seenAt(named.url, 'from-nowhere'), /does not answer|Failed to fetch/);
    await writeFile(join(berth.directory, 'settings.json'), JSON.stringify({ api: { allowedOrigins: [named.url] } }));
    await berth.restart();
    assert.deepEqual(await seenAt(named.url, 'from-elsewhere'), expected('from-elsewhere'));
    await assert.rejects(seenAt(other.url, 'from-a-stranger'), /does not answer|Failed to fetch/);
  } finally {
    named.close();
    other.close();
  }
});
