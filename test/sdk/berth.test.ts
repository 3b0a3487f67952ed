// The SDK of Berth's own API, on a real Berth and on a server that fails on purpose.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { Berth } from '../../sdk/berth.ts';
import { AccessError, BerthError, ConnectionError, InvalidError, NotFoundError, StaleError } from '../../sdk/error.ts';
import { generateFromCommitted } from '../../sdk/generate.ts';
import { startTestBerth } from '../support/berth.ts';

const server = await startTestBerth();
after(() => server.close());
const berth = new Berth(server);

test('the generated part is what the committed document comes to', () => {
  for (const [name, text] of generateFromCommitted()) {
    const committed = readFileSync(new URL(`../../sdk/generated/${name}`, import.meta.url), 'utf8');
    assert.equal(committed, text, `sdk/generated/${name} is not up to date: npm run openapi`);
  }
});

test('makes, reads, changes and removes, and goes through lists to their end', async () => {
  const made = [];
  for (let count = 1; count <= 5; count += 1) made.push(await berth.groups.create({ name: `sdk-${count}` }));
  const [first] = made;
  assert.ok(first);
  assert.deepEqual(await berth.groups.get(first.id), first);
  const names: string[] = [];
  for await (const { name } of berth.groups.list({ limit: 2 })) names.push(name);
  assert.deepEqual(names, ['default', ...made.map(({ name }) => name)]);
  const page = await berth.groups.list({ limit: 2 }).page();
  assert.equal(page.items.length, 2);
  const next = await berth.groups.list({ limit: 2 }).page(page.nextCursor ?? '');
  assert.equal(next.items[0]?.name, 'sdk-2');
  const renamed = await berth.groups.update(first.id, { name: 'renamed' }, { ifMatch: berth.etagOf(first) });
  assert.equal(renamed.name, 'renamed');
  await assert.rejects(berth.groups.update(first.id, { name: 'again' }, { ifMatch: berth.etagOf(first) }), StaleError);
  assert.equal((await berth.groups.create({ name: 'dry' }, { dryRun: true })).name, 'dry');
  assert.equal(await berth.groups.delete(first.id), undefined);
  await assert.rejects(berth.groups.get(first.id), NotFoundError);
  assert.ok((await berth.events.list().all()).some(({ kind }) => kind === 'group.created'));
});

test('a refusal is an error of its class, with the code and the place', async () => {
  await assert.rejects(berth.groups.create({ name: 'default' }), (error) => {
    assert.ok(error instanceof InvalidError && error instanceof BerthError);
    assert.deepEqual([error.name, error.status, error.code], ['InvalidError', 422, 'invalid_value']);
    assert.equal(error.problem.pointer, '#/name');
    assert.match(error.message, /already been taken/);
    return true;
  });
  const nobody = new Berth({ url: server.url, apiKey: 'berth_nonsense' });
  await assert.rejects(nobody.me.get(), AccessError);
});

/** A server of one test. @returns its URL, and the requests that it got */
async function serve(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
) {
  const requests: IncomingMessage[] = [];
  const listening = createServer((request, response) => {
    requests.push(request);
    request.resume();
    answer(request, response, requests.length);
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.after(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, requests };
}

const json = (response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

test('what fails for reasons of the moment is sent again, a change under the same key', async (t) => {
  const { url, requests } = await serve(t, (request, response, count) => {
    if (count === 1) request.socket.destroy();
    else if (count === 2) json(response, 503, {}, { 'retry-after': '0' });
    else if (count === 3) response.writeHead(502).end('<html>');
    else json(response, 201, { id: 'grp_1' });
  });
  const client = new Berth({ url, apiKey: 'k' });
  assert.deepEqual(await client.groups.create({ name: 'x' }), { id: 'grp_1' });
  const keys = requests.map(({ headers }) => headers['idempotency-key']);
  assert.equal(keys.length, 4);
  assert.equal(new Set(keys).size, 1);
  assert.ok(keys[0]);
});

test('what was refused is not sent again, and attempts end', async (t) => {
  const { url, requests } = await serve(t, (request, response) =>
    json(response, request.method === 'POST' ? 422 : 503, { code: 'invalid_value', detail: 'no', status: 422 }),
  );
  const client = new Berth({ url, apiKey: 'k', attempts: 2 });
  await assert.rejects(client.groups.create({ name: 'x' }), InvalidError);
  assert.equal(requests.length, 1);
  await assert.rejects(client.me.get(), BerthError);
  assert.equal(requests.length, 3);
});

test('a server that does not answer is given up in time, and a call when its signal says so', async (t) => {
  const { url } = await serve(t, () => {});
  const client = new Berth({ url, apiKey: 'k', attempts: 1, timeoutMs: 50 });
  await assert.rejects(client.me.get(), ConnectionError);
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const closed = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  await new Promise((resolve) => gone.close(resolve));
  const done = new AbortController();
  setTimeout(() => done.abort(new Error('enough')), 20);
  await assert.rejects(new Berth({ url, apiKey: 'k' }).me.get({ signal: done.signal }), /enough/);
  await assert.rejects(new Berth({ url: closed, attempts: 1 }).me.get(), /ECONNREFUSED/);
});

test('waits for what becomes of an instance, and reads the stream of its events from where it was', async () => {
  const done = new AbortController();
  const kinds: string[] = [];
  let isOpen = () => {};
  const opened = new Promise<void>((resolve) => {
    isOpen = resolve;
  });
  const reading = (async () => {
    for await (const event of berth.events.stream({ kind: 'instance' }, { signal: done.signal, onOpen: isOpen })) {
      kinds.push(event.kind);
      if (event.kind === 'instance.active') done.abort();
    }
  })();
  await opened;
  const [image] = await berth.images.list().all();
  const size = { vcpus: 1, memoryMib: 1024, diskGib: 5 };
  const sshKeys = ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4cO74qmRZ+XiicQiA68i5Jlvl17TPunfSKhO3/L4q ann@example'];
  const made = await berth.instances.create({ name: 'waited-for', image: image?.slug ?? '', sshKeys, ...size });
  const active = await berth.instances.until(made.id, 'active', { timeoutMs: 60_000 });
  assert.deepEqual([active.id, active.status], [made.id, 'active']);
  await reading;
  assert.ok(kinds.includes('instance.placed'));
  // What was is told again from a cursor on.
  const { items } = await berth.events.list({ instance: made.id }).page();
  const again = new AbortController();
  for await (const event of berth.events.stream(
    { instance: made.id, cursor: items[0]?.cursor },
    { signal: again.signal },
  )) {
    assert.equal(event.cursor, items[1]?.cursor);
    again.abort();
  }
  await assert.rejects(berth.instances.until(made.id, 'stopped', { timeoutMs: 300 }), /is not stopped after 0 s/);
  await berth.instances.delete(made.id, { purge: true });
  await assert.rejects(berth.instances.until(made.id, 'active', { timeoutMs: 60_000 }), BerthError);
});

test('a stream that may not be read says so', async () => {
  const nobody = new Berth({ url: server.url, apiKey: 'berth_nonsense' });
  await assert.rejects(nobody.events.stream().next(), AccessError);
  await assert.rejects(berth.events.stream({ cursor: 'x' }).next(), InvalidError);
});

test('a stream that breaks off is taken up where it was', async (t) => {
  const event = (cursor: string) => `id: ${cursor}\nevent: a\ndata: ${JSON.stringify({ cursor, kind: 'a' })}\n\n`;
  const { url, requests } = await serve(t, (request, response, count) => {
    if (count === 2) return void request.socket.destroy();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const frame = count === 1 ? `: hello\n\n${event('1-1')}` : event('1-2');
    // In pieces, as networks cut them.
    response.write(frame.slice(0, 20));
    setTimeout(() => response.end(frame.slice(20)), 20);
  });
  const done = new AbortController();
  const cursors: string[] = [];
  for await (const { cursor } of new Berth({ url, apiKey: 'k' }).events.stream({}, { signal: done.signal })) {
    cursors.push(cursor);
    if (cursors.length === 2) done.abort();
  }
  assert.deepEqual(cursors, ['1-1', '1-2']);
  assert.deepEqual(
    requests.slice(0, 3).map(({ url: path }) => new URL(path ?? '', url).searchParams.get('cursor')),
    [null, '1-1', '1-1'],
  );
});
