// `berth top` on a terminal: keys, sizes, servers that go away, and that the terminal is as it was however it ends.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import type { Instance } from '../../sdk/generated/types.ts';
import { exitCodes } from '../../src/cli/exit.ts';
import { keysOf, pressed, rowsOf, sorts, type View } from '../../src/cli/top-view.ts';
import { Person } from './support.ts';

const first: View = { sort: 'urgency', reversed: false, filter: '', typing: false, from: 0 };
const instance = (name: string, more: Partial<Instance> = {}) =>
  ({
    ...{
      name,
      status: 'active',
      address: null,
      vcpus: 1,
      memoryMib: 1024,
      diskGib: 5,
      pricePerEpoch: '1',
      funds: 'enough',
    },
    ...{
      createdAt: '2026-11-01T00:00:00.000Z',
      statusChangedAt: '2026-11-01T00:00:00.000Z',
      datacenter: null,
      ...more,
    },
  }) as Instance;
const three = [
  instance('b', { pricePerEpoch: '10' }),
  instance('a', { status: 'failed', pricePerEpoch: '9' }),
  instance('c', { address: '192.0.2.7', createdAt: '2026-11-02T00:00:00.000Z' }),
];
const viewAfter = (keys: string) => keysOf(keys).reduce((view, key) => pressed(view, key).view, first);
const namesOf = (view: View) => rowsOf(three, view).map(({ name }) => name);

test('keys sort, turn round and filter', () => {
  assert.equal(namesOf(first)[0], 'a', 'what has failed stands first');
  assert.deepEqual(namesOf({ ...first, sort: 'name' }), ['a', 'b', 'c']);
  assert.deepEqual(namesOf({ ...first, sort: 'price' }), ['b', 'a', 'c'], 'by the amount, not the letters');
  assert.deepEqual(namesOf({ ...first, sort: 'name', reversed: true }), ['c', 'b', 'a']);
  assert.equal(viewAfter('s').sort, sorts[1]);
  assert.equal(viewAfter('s'.repeat(sorts.length)).sort, sorts[0]);
  assert.deepEqual(namesOf(viewAfter('/192.0\r')), ['c']);
  assert.deepEqual(namesOf(viewAfter('/fail\r')), ['a']);
  assert.equal(viewAfter('/xy\x7f').filter, 'x');
  assert.deepEqual([viewAfter('/q').filter, viewAfter('/q\x1b').filter], ['q', '']);
  assert.equal(viewAfter('jj\x1b[B\x1b[A').from, 2);
  assert.equal(viewAfter('\x1b[A').from, 0);
  for (const key of ['q', '\x03']) assert.equal(pressed(first, key).act, 'quit');
  assert.equal(pressed({ ...first, typing: true }, '\x03').act, 'quit', 'also while a filter is typed');
});

/** A Berth that says what a test lets it say. */
let answer: () => [status: number, body: object] = () => [200, { items: three, nextCursor: null }];
const server: Server = createServer((request, response) => {
  const forbidden = { status: 403, code: 'forbidden', detail: 'No.', requestId: 'r', title: '' };
  const [status, body] = request.url?.includes('/hosts') ? [403, forbidden] : answer();
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
await once(server.listen(0, '127.0.0.1'), 'listening');
after(() => server.close().closeAllConnections());
const where = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: 'berth_key' };
const asItWas = '\x1b[?25h\x1b[?1049l';

/** Somebody at a terminal, who does something at each frame. */
async function watched(frame: (text: string, type: (keys: string) => void) => void, argv: string[] = []) {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => raw.push(isRaw) });
  const ended = await new Person(where).run(['top', '--every', '1', ...argv], {
    ...{ isTTY: true, input, env: { NO_COLOR: '1' } },
    onOut: (text) => setImmediate(() => frame(text, (keys) => input.write(keys))),
  });
  return { ...ended, raw };
}

test('q ends it, with 0 and the terminal as it was', async () => {
  let isPressed = false;
  const { status, out, err, raw } = await watched((text, type) => {
    if (!isPressed && text.includes('192.0.2.7')) {
      isPressed = true;
      type('/192\rq');
    }
  });
  assert.deepEqual([status, err], [0, '']);
  assert.ok(out.endsWith(asItWas));
  assert.deepEqual(raw, [true, false]);
  assert.ok(!out.includes('\x1b[1m'), 'NO_COLOR holds here, too');
});

test('a server that goes away for a while is told of, and looked for again', async () => {
  let frames = 0;
  const { status, out } = await watched((text, type) => {
    if (!text.includes('by urgency')) return;
    frames += 1;
    if (frames === 1) answer = () => [502, {}];
    if (text.includes('Not news')) answer = () => [200, { items: [instance('back')], nextCursor: null }];
    if (text.includes('back')) type('q');
  });
  answer = () => [200, { items: three, nextCursor: null }];
  assert.equal(status, 0);
  assert.match(out, /Not news: .*502/);
});

test('what ends it for good leaves the terminal as it was, and says why', async () => {
  let frames = 0;
  const { status, out, err } = await watched(() => {
    frames += 1;
    if (frames === 2)
      answer = () => [401, { status: 401, code: 'unauthenticated', detail: 'Over.', requestId: 'r', title: '' }];
  });
  answer = () => [200, { items: three, nextCursor: null }];
  assert.equal(status, exitCodes.access);
  assert.ok(out.endsWith(asItWas));
  assert.match(err, /^berth: Over\./);
});

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  test(`on a real terminal ${signal} leaves it as it was`, async (t) => {
    const main = join(import.meta.dirname, '../../src/main.ts');
    const command = `stty cols 80 rows 24; exec '${process.execPath}' '${main}' top --every 1`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...process.env, BERTH_URL: where.url, BERTH_API_KEY: where.apiKey, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    t.after(() => child.kill('SIGKILL'));
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!out.includes('192.0.2.7') && text.includes('192.0.2.7')) signalTo(child.pid, signal);
      out += text;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    assert.ok(out.includes(asItWas), out.slice(-200));
    assert.equal(status, code);
  });
}

/** Sends a signal to what a process has started. */
async function signalTo(pid: number | undefined, signal: NodeJS.Signals): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  for (const child of children.trim().split(' ')) process.kill(Number(child), signal);
}
