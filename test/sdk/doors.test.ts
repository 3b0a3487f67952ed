// Doors through the SDK, on a Berth whose host simulates: a VM says what is typed into it, and so does a command in a container.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Berth } from '../../sdk/berth.ts';
import { AccessError, ConnectionError, InvalidError } from '../../sdk/error.ts';
import { letSlots, startBody, started } from '../api/hiveon/support.ts';
import { deployed } from '../api/support.ts';
import { startTestBerth, until } from '../support/berth.ts';

const server = await startTestBerth();
after(() => server.close());
const berth = new Berth(server);
const [hex = ''] = await deployed(server);
const vm = `ins_${hex.slice(2)}`;
await berth.instances.until(vm, 'active');

async function container(): Promise<string> {
  const [machine] = await letSlots(server, 1);
  assert.ok(machine);
  await started(server, startBody(machine));
  const one = (await berth.instances.list({ kind: 'container' }).all()).at(-1);
  assert.ok(one);
  await berth.instances.until(one.id, 'active');
  return one.id;
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('a console is typed into, and what it says is kept until somebody listens', async () => {
  const door = await berth.instances.open(vm, 'console');
  const first = once(door.socket, 'message');
  door.write('one ');
  await first;
  let heard = '';
  door.onData((bytes) => {
    heard += textOf(bytes);
  });
  assert.equal(heard, 'one ');
  door.resize(80, 24);
  door.write(new TextEncoder().encode('two'));
  await until('both are heard', async () => heard === 'one two');
  door.close();
  assert.equal((await door.closed).code, 1005);
  assert.equal(await door.exitCode, null);
});

test('a command is read to its end, and tells how it has ended', async () => {
  const id = await container();
  const door = await berth.instances.open(id, 'exec', { command: ['cat'], tty: false });
  door.write('to the end');
  door.end();
  let heard = '';
  for await (const bytes of door) heard += textOf(bytes);
  assert.equal(heard, 'to the end');
  assert.equal(await door.exitCode, 0);
  assert.deepEqual(await door.closed, { code: 1000, reason: 'The command has ended.' });
  const shell = await berth.instances.open(id, 'exec', { columns: 100, rows: 30 });
  shell.resize(90, 20);
  shell.close();
  await shell.closed;
});

test('what is refused is an error of its class, and what can not be connected says why', async () => {
  await assert.rejects(berth.instances.open(vm, 'exec'), InvalidError);
  const nobody = new Berth({ url: server.url, apiKey: 'berth_nonsense' });
  await assert.rejects(nobody.instances.open(vm, 'console'), AccessError);
  const screen = await berth.instances.open(vm, 'screen');
  assert.equal(screen.socket.binaryType, 'arraybuffer');
  assert.deepEqual(await screen.closed, { code: 4409, reason: 'A simulated VM has no screen.' });
  const used = await berth.instances.createTicket(vm, { door: 'console' });
  const { openDoor } = await import('../../sdk/doors.ts');
  const place = () => new URL(used.url, server.url);
  (await openDoor(place(), undefined)).close();
  await assert.rejects(openDoor(place(), undefined), ConnectionError);
  const given = AbortSignal.abort(new Error('enough'));
  await assert.rejects(berth.instances.open(vm, 'console', { signal: given }), /enough/);
});
