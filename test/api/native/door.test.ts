// Doors over Berth's own API, on a host that simulates: who is let in, with what, how often and for how long. Real consoles and
// containers are in test/console/machine-web.test.ts.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { toId } from '../../../src/api/native/id.ts';
import { readSettings } from '../../../src/app/settings.ts';
import { parseListenAddress } from '../../../src/compose/listen.ts';
import { ensureSecretKey } from '../../../src/compose/secret-key.ts';
import { type RunningServer, startServer } from '../../../src/compose/server.ts';
import { systemEntropy } from '../../../src/compose/system.ts';
import { reconcileConsoles } from '../../../src/reconcilers/console.ts';
import { findPlace } from '../../../src/store/embedded/place.ts';
import { callApi, until } from '../../support/berth.ts';
import { addUser, asOperator, tokenOf } from '../bytemark/identity.ts';
import { letSlots, startBody, started } from '../hiveon/support.ts';
import { holdings } from '../support.ts';
import { operations } from './document.ts';
import { Opened, type Ticket, ticketFor } from './doors.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let second: RunningServer;
let vm: string;
let container: string;

before(async () => {
  world = await startWorld();
  const { berth } = world;
  second = await startServer(
    {
      ...{ connectionString: (await findPlace(join(berth.directory, 'postgres'))).connectionString },
      ...{ listen: parseListenAddress('127.0.0.1:0'), settings: await readSettings('') },
      ...{ imageDirectory: join(berth.directory, 'images-of-second'), allowedImageHosts: [], allowedCallbackHosts: [] },
      secretKey: await ensureSecretKey(join(berth.directory, 'secret.key'), systemEntropy),
      logger: pino({ level: 'silent' }),
    },
    async () => {},
  );
  vm = await world.make('instance');
  container = await newContainer();
});
after(async () => {
  await second.close();
  await world.close();
});

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const doorOf = (instance: string, door = 'console') => `${world.berth.url}/berth/v1/instances/${instance}/${door}`;
const open = (instance: string, door = 'console', key = world.berth.apiKey) =>
  new Opened(doorOf(instance, door), bearer(key));
const openWith = ({ url }: Ticket) => new Opened(world.berth.url + url);
const asked = (instance: string, body: unknown, key: string | null = world.berth.apiKey, query = '') =>
  callApi<Ticket & { code: string; pointer?: string }>(
    ...([world.berth.url, key, 'POST', `/berth/v1/instances/${instance}/tickets${query}`, body] as const),
  );

async function newContainer(): Promise<string> {
  const [machine] = await letSlots(world.berth, 1);
  assert.ok(machine);
  const deployment = await started(world.berth, startBody(machine));
  const row = () =>
    world.database.selectFrom('instance').where('deployment_id', '=', deployment).selectAll().executeTakeFirstOrThrow();
  await until('the container runs', async () => (await row()).status === 'active');
  return toId('instance', (await row()).id);
}

/** Takes all privileges from a user. */
async function loseAll({ username }: { username: string }): Promise<void> {
  const row = world.database.selectFrom('user').where('username', '=', username).select('id');
  const { id } = await row.executeTakeFirstOrThrow();
  await world.database.deleteFrom('privilege').where('user_id', '=', id).execute();
}

const noneIsOpen = async () => (await world.database.selectFrom('console').selectAll().execute()).length === 0;

test('a ticket opens its door once, and what is typed is heard', async () => {
  const made = await ticketFor(world.berth, world.berth.apiKey, vm, { door: 'console' });
  assert.match(made.ticket, /^ticket_/);
  assert.ok(Math.abs(Date.parse(made.expiresAt) - Date.now() - 30_000) < 10_000);
  const door = await openWith(made).opened();
  door.say('hello\r');
  await door.hears('hello\r');
  assert.equal((await openWith(made).refused()).body.code, 'unauthenticated');
  await door.leave();
  await until('nothing is left of it', noneIsOpen);
  const kept = await world.database.selectFrom('door_ticket').selectAll().execute();
  assert.deepEqual(kept, []);
  const { items } = (
    await world.berth.call<{ items: { kind: string; actor: string }[] }>('GET', `/berth/v1/events?instance=${vm}`)
  ).body;
  assert.equal(items.find(({ kind }) => kind === 'console.opened')?.actor, 'key:first');
});

test('a ticket is for its door of its instance, for half a minute, at any server, and counts for nothing elsewhere', async () => {
  const other = await world.make('instance');
  const made = await ticketFor(world.berth, world.berth.apiKey, vm, { door: 'console' });
  const shown = [
    `${doorOf(other)}?ticket=${made.ticket}`,
    `${doorOf(vm, 'screen')}?ticket=${made.ticket}`,
    `${doorOf(vm)}?ticket=ticket_guessed`,
    `${doorOf(vm)}?ticket=`,
  ];
  for (const url of shown) {
    const { status, type, body } = await new Opened(url).refused();
    assert.deepEqual([status, body.code], [401, 'unauthenticated'], url);
    assert.match(type, /^application\/problem\+json/);
  }
  assert.equal((await callApi(world.berth.url, made.ticket, 'GET', '/berth/v1/me')).status, 401);
  // Wherever the host has its own connections.
  const there = await new Opened(second.url + made.url).opened();
  there.say('at another server');
  await there.hears('at another server');
  await there.leave();
  const late = await ticketFor(world.berth, world.berth.apiKey, vm, { door: 'console' });
  await world.database
    .updateTable('door_ticket')
    .set({ expires_at: new Date(Date.now() - 1) })
    .execute();
  assert.equal((await openWith(late).refused()).status, 401);
  await asOperator(world.berth, (context) => reconcileConsoles(context));
  assert.deepEqual(await world.database.selectFrom('door_ticket').selectAll().execute(), []);
});

test('what a ticket can not be for is refused with the field, and nothing is left of it', async () => {
  const held = await holdings(world.database);
  const cases: [string, object, number, string][] = [
    [vm, { door: 'exec' }, 422, '#/door'],
    [container, { door: 'console' }, 422, '#/door'],
    [vm, { door: 'console', exec: {} }, 422, '#/exec'],
    [container, { door: 'exec', exec: { tty: false, rows: 3 } }, 422, '#/exec/rows'],
    [container, { door: 'exec', exec: { columns: 0 } }, 400, '#/exec/columns'],
    [container, { door: 'exec', exec: { command: [] } }, 400, '#/exec/command'],
    [vm, { door: 'window' }, 400, '#/door'],
  ];
  for (const [instance, body, status, pointer] of cases) {
    const answer = await asked(instance, body);
    assert.deepEqual([answer.status, answer.body.pointer], [status, pointer], JSON.stringify([body, answer.body]));
  }
  const dry = await asked(vm, { door: 'console' }, world.berth.apiKey, '?dryRun=true');
  assert.equal(dry.status, 201);
  assert.deepEqual(await holdings(world.database), held);
  assert.deepEqual(await world.database.selectFrom('door_ticket').selectAll().execute(), []);
  assert.equal((await openWith(dry.body).refused()).status, 401);
});

test('a program that sends its key opens a door without a ticket', async () => {
  const door = await open(vm).opened();
  door.say('straight');
  await door.hears('straight');
  await door.leave();
  const other = await new Opened(doorOf(vm), { 'x-api-key': world.berth.apiKey }).opened();
  await other.leave();
});

test('who may not is refused before there is a WebSocket, with a problem', async () => {
  const stranger = await world.addStranger();
  const readOnly = await world.addKey({ scope: 'read-only' });
  const off = await world.make('instance');
  assert.equal((await world.berth.call('DELETE', `/berth/v1/instances/${off}`)).status, 202);
  const cases: [string, Opened, number, string][] = [
    ['nobody', new Opened(doorOf(vm)), 401, 'unauthenticated'],
    ['a stranger', open(vm, 'console', stranger.key), 404, 'not_found'],
    ['a key that reads', open(vm, 'console', readOnly), 403, 'forbidden'],
    ['a key that reads, in a container', open(container, 'exec', readOnly), 403, 'forbidden'],
    ['a VM has no exec', open(vm, 'exec'), 422, 'unsupported'],
    ['a container has no screen', open(container, 'screen'), 422, 'unsupported'],
    ['a deleted VM', open(off), 409, 'wrong_state'],
    ['no such instance', open('ins_nonsense'), 404, 'not_found'],
    ['a wrong query', new Opened(`${doorOf(vm)}?rows=1`, bearer(world.berth.apiKey)), 400, 'malformed'],
    [
      'a page of another site',
      new Opened(doorOf(vm), { ...bearer(world.berth.apiKey), origin: 'https://evil.example' }),
      ...([403, 'cross_site'] as const),
    ],
    [
      'a page of no site',
      new Opened(doorOf(vm), { ...bearer(world.berth.apiKey), origin: 'null' }),
      ...([403, 'cross_site'] as const),
    ],
  ];
  for (const [what, door, status, code] of cases) {
    const refusal = await door.refused();
    assert.deepEqual([refusal.status, refusal.body.code], [status, code], `${what}: ${JSON.stringify(refusal)}`);
    assert.match(refusal.type, /^application\/problem\+json/);
  }
  assert.ok(await noneIsOpen());
  // The last two as behind a proxy that writes a Host of its own.
  for (const own of [
    { origin: world.berth.url },
    { origin: 'https://berth.example', 'x-forwarded-host': 'berth.example' },
    { origin: 'https://berth.example', 'sec-fetch-site': 'same-origin' },
  ]) {
    const door = await new Opened(doorOf(vm), { ...bearer(world.berth.apiKey), ...own }).opened();
    await door.leave();
  }
});

/** Sends a request that offers another protocol. @returns the status; 101 where the protocol changes */
function offer(path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = get(world.berth.url + path, {
      headers: { ...bearer(world.berth.apiKey), connection: 'upgrade', ...headers },
    });
    sent.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    sent.once('error', reject);
  });
}

test('only doors are WebSockets; what offers one elsewhere is served as if it had not', async () => {
  const path = `/berth/v1/instances/${vm}`;
  const right = {
    upgrade: 'websocket',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-version': '13',
  };
  assert.equal(await offer('/healthz', right), 200);
  assert.equal(await offer(path, right), 200);
  assert.equal(await offer(`${path}/consoles`, right), 404);
  assert.equal(await offer(`${path}/console`, { upgrade: 'h2c' }), 400);
  assert.equal(await offer(`${path}/console`, { ...right, 'sec-websocket-version': '8' }), 400);
  assert.equal(await offer(`${path}/console`, { ...right, 'sec-websocket-key': 'short' }), 400);
  assert.equal(await offer(`${path}/console`, { ...right, upgrade: 'WebSocket' }), 101);
});

test('every door of the document opens', async () => {
  const ids = operations.filter(({ opensDoor }) => opensDoor).map(({ id }) => id);
  assert.deepEqual(ids.toSorted(), ['openConsole', 'openExec', 'openScreen']);
  for (const [instance, door] of [
    [vm, 'console'],
    [vm, 'screen'],
    [container, 'exec'],
  ] as const) {
    await (await open(instance, door).opened()).leave();
  }
});

test('what can not be connected is closed with the reason', async () => {
  const door = await open(vm, 'screen').opened();
  assert.deepEqual(await door.ended(), { code: 4409, reason: 'A simulated VM has no screen.' });
});

test('a command in a container hears what is typed, and its end is told', async () => {
  const exec = { tty: false, command: ['cat'] };
  const made = await ticketFor(world.berth, world.berth.apiKey, container, { door: 'exec', exec });
  const door = await openWith(made).opened();
  door.say('one');
  door.say('two');
  await door.hears('onetwo');
  const [row] = await world.database.selectFrom('console').selectAll().execute();
  assert.deepEqual([row?.channel, row?.exec], ['exec', null], 'what is run is forgotten');
  door.socket.send(JSON.stringify({ type: 'resize', columns: 100, rows: 30 }));
  door.socket.send(JSON.stringify({ type: 'end' }));
  assert.deepEqual(await door.ended(), { code: 1000, reason: 'The command has ended.' });
  assert.deepEqual(door.news, [{ type: 'exit', code: 0 }]);
  for (const text of ['nonsense', '{}', 'null', '{"type":"resize","columns":0,"rows":1}']) {
    const other = await open(container, 'exec').opened();
    other.socket.send(text);
    assert.equal((await other.ended()).code, 1008, text);
  }
  await until('nothing is left', noneIsOpen);
});

test('much that is said at once comes whole and in order', async () => {
  const door = await open(vm).opened();
  const sent: string[] = [];
  for (let line = 0; line < 200; line += 1) {
    sent.push(`${line}:${'x'.repeat(10_000)};`);
    door.say(sent.at(-1) ?? '');
  }
  await until('all is heard', async () => door.heard.length >= sent.join('').length);
  assert.equal(door.heard, sent.join(''));
  door.socket.send(Buffer.alloc(2 * 1024 * 1024));
  assert.equal((await door.ended()).code, 1009);
});

test('who has many doors open gets no more, and neither does a VM', async () => {
  const other = await world.make('instance');
  const key = await world.addKey();
  const mine = await Promise.all(Array.from({ length: 8 }, (_none, at) => open(at % 2 ? vm : other).opened()));
  for (const door of mine) door.say('in');
  await Promise.all(mine.map((door) => door.hears('in')));
  const end = await (await open(vm).opened()).ended();
  assert.equal(end.code, 1013);
  assert.match(end.reason, /8 doors open/);
  // It is the account's keys that count together, and servers that count apart.
  assert.equal((await (await open(vm, 'console', key).opened()).ended()).code, 1013);
  const far = Array.from({ length: 4 }, () => new Opened(doorOf(vm).replace(world.berth.url, second.url), bearer(key)));
  for (const door of far) (await door.opened()).say('in');
  await Promise.all(far.map((door) => door.hears('in')));
  const full = await new Opened(doorOf(vm).replace(world.berth.url, second.url), bearer(key)).opened();
  assert.match((await full.ended()).reason, /8 consoles of this server are open/);
  for (const door of [...mine, ...far]) await door.leave();
  await until('nothing is left', noneIsOpen);
  const again = await open(vm).opened();
  await again.leave();
});

test('who may no longer is shown out: a key that is revoked, a session that has ended, a privilege that is gone, a VM that is deleted', async () => {
  const { berth, database } = world;
  const key = await world.addKey();
  const byKey = await openWith(await ticketFor(berth, key, vm, { door: 'console' })).opened();
  const user = await addUser(berth, 'default');
  const session = await tokenOf(berth, user);
  const bySession = await openWith(await ticketFor(berth, session, vm, { door: 'console' })).opened();
  const straight = await open(vm, 'console', await tokenOf(berth, user)).opened();
  const deleted = await world.make('instance');
  const inDeleted = await open(deleted).opened();
  for (const door of [byKey, bySession, straight, inDeleted]) {
    door.say('in');
    await door.hears('in');
  }
  await database.updateTable('api_key').set({ revoked_at: new Date() }).where('name', '=', 'test').execute();
  assert.equal((await callApi(berth.url, session, 'DELETE', '/berth/v1/sessions/current')).status, 204);
  await loseAll(user);
  assert.equal((await berth.call('DELETE', `/berth/v1/instances/${deleted}?purge=true`)).status, 202);
  assert.equal((await byKey.ended()).code, 4401);
  assert.equal((await bySession.ended()).code, 4401);
  assert.equal((await straight.ended()).code, 4404);
  assert.ok([4404, 4409].includes((await inDeleted.ended()).code), JSON.stringify(inDeleted.end));
  await until('nothing is left', noneIsOpen);
});

test('who does not read is cut off, and keeps nobody else waiting', async () => {
  const [idle, other] = [await open(vm).opened(), await open(vm).opened()];
  idle.say('in');
  await idle.hears('in');
  idle.socket.pause();
  for (let piece = 0; piece < 64; piece += 1) idle.socket.send(Buffer.alloc(1024 * 1024 - 1, 'x'));
  other.say('meanwhile');
  await other.hears('meanwhile');
  const openNow = async () => (await world.database.selectFrom('console').selectAll().execute()).length;
  await until('one of them is let go', async () => (await openNow()) === 1);
  idle.socket.resume();
  assert.equal((await idle.ended()).code, 1006);
  other.say('still here');
  await other.hears('still here');
  await other.leave();
});

test('a user with the privilege vm_console gets at the console, and not into containers', async () => {
  const { berth } = world;
  const user = await addUser(berth, 'default');
  await loseAll(user);
  const given = { user: user.username, level: 'vm_console', instance: vm };
  assert.equal((await callApi(berth.url, world.operator, 'POST', '/berth/v1/privileges', given)).status, 201);
  const session = await tokenOf(berth, user);
  const door = await openWith(await ticketFor(berth, session, vm, { door: 'console' })).opened();
  door.say('mine');
  await door.hears('mine');
  await door.leave();
  assert.equal((await asked(container, { door: 'exec' }, session)).status, 404);
});

test('a server that stops closes its doors and says so', async () => {
  const door = await open(vm).opened();
  door.say('in');
  await door.hears('in');
  await world.database.destroy();
  await world.berth.restart();
  assert.deepEqual(await door.ended(), { code: 1001, reason: 'The server is being stopped.' });
});
