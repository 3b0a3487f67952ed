// An agent's line to several equal servers: it goes on with another when one dies, hangs or fails, and takes a refusal for
// what it is.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ServerClient, ServerRefused } from '../../src/agent/client.ts';

const signal = new AbortController().signal;

async function serve(t: TestContext, answer: RequestListener): Promise<{ url: string; asked: string[]; stop(): void }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  t.after(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked, stop };
}

const news = JSON.stringify({ revision: 7, full: true, assignments: [] });

test('after a server has died the next call goes to the next server, and stays there', async (t) => {
  const first = await serve(t, (_request, response) => response.end(news));
  const second = await serve(t, (_request, response) => response.end(news));
  const client = new ServerClient([first.url, second.url]);
  assert.equal((await client.poll(undefined, signal)).revision, 7);
  first.stop();
  await assert.rejects(client.poll(undefined, signal));
  for (let count = 0; count < 3; count += 1) assert.equal((await client.poll(undefined, signal)).revision, 7);
  assert.deepEqual([first.asked.length, second.asked.length], [1, 3]);
});

test('a server that fails is left, also by a call that waits for it; the last one is followed by the first', async (t) => {
  const hangs = await serve(t, (request, response) => {
    if (request.url?.endsWith('reports')) response.writeHead(503).end('no database');
  });
  const works = await serve(t, (_request, response) => response.end(news));
  const client = new ServerClient([hangs.url, works.url]);
  const waiting = client.poll(3, signal);
  const report = { inventory: {}, complete: true, instances: [], events: [], strays: [] } as never;
  await assert.rejects(client.report(report, signal), ServerRefused);
  await assert.rejects(waiting, { name: 'AbortError' });
  await client.report(report, signal);
  works.stop();
  await assert.rejects(client.report(report, signal));
  await assert.rejects(client.report(report, signal), ServerRefused);
  assert.deepEqual(hangs.asked.at(-1), '/agent/v1/reports');
});

test('a server that refuses is not left: the others would refuse as well', async (t) => {
  const refuses = await serve(t, (_request, response) => response.writeHead(401).end('{}'));
  const other = await serve(t, (_request, response) => response.end(news));
  const client = new ServerClient([refuses.url, other.url]);
  await assert.rejects(client.poll(undefined, signal), ServerRefused);
  await assert.rejects(client.poll(undefined, signal), ServerRefused);
  assert.deepEqual(other.asked, []);
});
