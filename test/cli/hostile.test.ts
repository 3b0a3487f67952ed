// A server that means ill: whatever it says, a terminal shows it as text, and the machine's ssh takes it for what it is.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Person } from './support.ts';

/** Clears the screen, names the window, by one byte begins a sequence, breaks the line and turns the direction round. */
const evil = 'a\x1b[2J\x1b]0;owned\x07\x9b31m\r\nb\u202egnp.exe\u2066\u2028c';
const id = `ins_${'1'.repeat(40)}`;
const time = '2026-11-22T00:00:00.000Z';
const event = {
  ...{ id: 'evt_1', cursor: '1-1', kind: `instance.${evil}`, message: evil, actor: evil, createdAt: time },
  ...{ account: null, instance: null, host: null, data: { evil } },
};
const login = '-oProxyCommand=touch ran';
const image = {
  slug: 'own:x',
  url: 'https://images.example.com/x.qcow2',
  username: login,
  name: evil,
  distribution: evil,
};
const instance = { id, name: 'web-1', kind: 'vm', status: 'active', address: '127.46.0.9', image: image.url, vm: null };

const server = createServer((request, response) => {
  const path = request.url ?? '';
  const answer = (status: number, body: object, type = 'application/json') =>
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  if (path.startsWith('/berth/v1/events')) return answer(200, { items: [event], nextCursor: null });
  if (path.startsWith('/berth/v1/images')) return answer(200, { items: [image], nextCursor: null });
  if (path.startsWith(`/berth/v1/instances/${id}`) && request.method === 'GET') return answer(200, instance);
  const problem = {
    type: 'about:blank',
    title: evil,
    status: 422,
    code: 'invalid_value',
    detail: evil,
    requestId: evil,
  };
  return answer(422, problem, 'application/problem+json');
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
after(() => server.close());
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const ann = new Person({ url, apiKey: 'berth_x' });

/** What a terminal would not show as it is. */
const obeyed = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const plain = (text: string) => assert.doesNotMatch(text, obeyed, JSON.stringify(text));

test('what a server says is shown, and obeyed by no terminal', async () => {
  const listed = await ann.run(['event', 'list']);
  assert.equal(listed.status, 0, listed.err);
  assert.match(listed.out, /gnp\.exe/);
  plain(listed.out);
  const json = await ann.run(['event', 'list', '--json']);
  plain(json.out);
  assert.deepEqual((JSON.parse(json.out) as { items: object[] }).items, [event], 'for programs nothing is lost');
});

test('a refusal is told as text', async () => {
  for (const argv of [['group', 'list'], ['group', 'create', 'x'], ['me'], ['vm', 'show', 'x'], ['top', '--once']]) {
    const { status, out, err } = await ann.run(argv);
    assert.notEqual(status, 0, argv.join(' '));
    assert.match(err, /gnp\.exe/, argv.join(' '));
    plain(out);
    plain(err);
  }
});

test('whom to log in as is no option of ssh', async () => {
  const script = join(ann.home, 'ssh');
  writeFileSync(script, `#!/bin/sh\nprintf '%s\\n' "$@" >"${ann.home}/args"\n`);
  chmodSync(script, 0o755);
  const { status, err } = await ann.run(['vm', 'ssh', id, '--', 'uptime'], { env: { BERTH_SSH: script } });
  assert.equal(status, 0, err);
  const args = readFileSync(join(ann.home, 'args'), 'utf8').trim().split('\n');
  assert.deepEqual(args.slice(args.indexOf('-l')), ['-l', login, '--', '127.46.0.9', 'uptime']);
});
