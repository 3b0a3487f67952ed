// Things are named by what people know of them, lists are whole however long they are, and what is for a spreadsheet is written as such.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit.ts';
import { keys } from '../api/support.ts';
import { startTestBerth, until } from '../support/berth.ts';
import { Person } from './support.ts';

const server = await startTestBerth();
after(() => server.close());
const ann = new Person(server);
await ann.text(
  ...['vm', 'create', 'web-1', '--image', 'micro', '--vcpus', '1', '--memory', '1GiB', '--disk', '5GiB'],
  ...['--ssh-key', keys.ed25519, '--wait'],
);

test('a webhook is named by its URL', async () => {
  const url = 'https://hooks.example.com/by-url';
  await ann.text('webhook', 'create', url, '--on', 'instance');
  assert.match(await ann.text('webhook', 'show', url), /whk_/);
  await ann.text('webhook', 'set', url, '--disable');
  await ann.text('webhook', 'delete', url, '--yes');
  const { status, err } = await ann.run(['webhook', 'show', url]);
  assert.deepEqual([status, /"berth webhook list" shows/.test(err)], [exitCodes.notFound, true]);
});

test('a backup is named by its label, a schedule by its disk, and lists show which VM they are of', async () => {
  const { label } = await ann.json<{ label: string }>('backup', 'create', 'web-1');
  await until('the backup is there', async () => /ready/.test(await ann.text('backup', 'show', label)));
  assert.match(await ann.text('backup', 'list'), /^web-1 +disc-1-backup/m);
  assert.match(await ann.text('disk', 'list'), /^web-1 +disc-1 /m);
  await ann.text('backup', 'delete', label, '--yes');
  await ann.text('schedule', 'create', 'web-1', '--every', '1d', '--at', '03:30');
  assert.match(await ann.text('schedule', 'show', 'web-1/disc-1'), /every +1 d/);
  await ann.text('schedule', 'create', 'web-1', '--every', '6h', '--at', '03:30');
  const { status, err } = await ann.run(['schedule', 'delete', 'web-1', '--yes']);
  assert.deepEqual([status, (err.match(/sch_/g) ?? []).length], [exitCodes.usage, 2], err);
});

test('what groups, schedules, privileges, events and sheets are about has its name beside or in place of its id', async () => {
  assert.match(await ann.text('group', 'list'), /^default +default +grp_/m);
  assert.match(await ann.text('schedule', 'list'), /^web-1 +disc-1 .*sch_/m);
  assert.match(await ann.text('privilege', 'list'), /account_admin +default +/);
  assert.match(await ann.text('disk', 'show', 'web-1'), /^VM +web-1 \(ins_/m);
  assert.match(await ann.text('event', 'list', '--kind', 'instance'), /^.* instance\.active +web-1 +Runs\.$/m);
});

test('of events that tell how far something is the last is shown, and for programs all are', async (t) => {
  const kinds = ['vm.start', 'image.build', 'image.build', 'other', 'image.build', 'image.build', 'instance.placed'];
  const events = kinds.map((kind, index) => ({
    ...{ cursor: `1-${index}`, account: 'acc_1', kind, instance: kind === 'other' ? 'ins_2' : 'ins_1', actor: 'agent' },
    ...{
      message: `step-${index}`,
      data: null,
      createdAt: new Date(Date.UTC(2026, 10, 1) - index * 1000).toISOString(),
    },
  }));
  const told = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const items = pathname.endsWith('/events') ? events.slice(0, Number(searchParams.get('limit'))) : [];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ items, nextCursor: null }));
  });
  await once(told.listen(0, '127.0.0.1'), 'listening');
  t.after(() => told.close().closeAllConnections());
  const bob = new Person({ url: `http://127.0.0.1:${(told.address() as AddressInfo).port}`, apiKey: 'berth_key' });
  const steps = async (...more: string[]) => (await bob.text('event', 'list', ...more)).match(/step-\d/g);
  assert.deepEqual(await steps(), ['step-6', 'step-3', 'step-1', 'step-0'], 'another one’s event comes between');
  assert.deepEqual(await steps('--limit', '2'), ['step-1', 'step-0']);
  assert.equal((await steps('--kind', 'image.build'))?.length, kinds.length);
  assert.equal((await steps('--limit', '3', '--json'))?.length, 3);
});

test('only the columns that are asked for are shown, and others are told', async () => {
  assert.match(await ann.text('vm', 'list', '--columns', 'address,name'), /^ADDRESS +NAME\n[\d.]+ +web-1\n$/);
  const { status, err } = await ann.run(['vm', 'list', '--columns', 'colour']);
  assert.deepEqual([status, /name, status, address/.test(err)], [exitCodes.usage, true], err);
});

test('a statement is CSV for a spreadsheet, in a file that was not there', async () => {
  const csv = await ann.text('statement', '--csv');
  const [head = '', ...lines] = csv.trim().split('\n');
  assert.ok(head.includes(',') && lines.length >= 3, csv);
  const file = join(ann.home, 'statement.csv');
  assert.match(await ann.text('statement', '--csv', '--output', file), /has \d+ transactions/);
  assert.equal(readFileSync(file, 'utf8'), csv);
  const again = await ann.run(['statement', '--csv', '--output', file]);
  assert.deepEqual([again.status, /is there already/.test(again.err)], [exitCodes.usage, true]);
  assert.equal((await ann.run(['statement', '--output', file])).status, exitCodes.usage);
});

test('"me" says where, and as which profile', async () => {
  const nobody = new Person();
  await nobody.run(['login', server.url, '--profile', 'work'], { input: `${server.apiKey}\n` });
  const told = await nobody.text('me');
  assert.match(told, /^profile +work$/m);
  assert.ok(told.includes(server.url));
});

test('a list of more than a thousand is whole, and --limit is what is answered', async (t) => {
  const rows = Array.from({ length: 1_050 }, (_, index) => ({
    id: `grp_${index}`,
    name: `g-${index}`,
    account: 'acc_1',
  }));
  const paged = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const from = Number(query.get('cursor') ?? 0);
    const to = from + Number(query.get('limit') ?? 50);
    const nextCursor = to < rows.length ? `${to}` : null;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ items: rows.slice(from, to), nextCursor }));
  });
  await once(paged.listen(0, '127.0.0.1'), 'listening');
  t.after(() => paged.close().closeAllConnections());
  const bob = new Person({ url: `http://127.0.0.1:${(paged.address() as AddressInfo).port}`, apiKey: 'berth_key' });
  const all = await bob.json<{ items: object[]; nextCursor: string | null }>('group', 'list');
  assert.deepEqual([all.items, all.nextCursor], [rows, null]);
  for (const limit of [1, 200, 201, 1_001, 5_000]) {
    const { items } = await bob.json<{ items: object[] }>('group', 'list', '--limit', `${limit}`);
    assert.deepEqual(items, rows.slice(0, limit), `--limit ${limit}`);
  }
  assert.equal((await bob.text('group', 'list', '--quiet')).trim().split('\n').length, rows.length);
});
