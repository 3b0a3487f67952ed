// Who is let in at a console's door, and what he meets there: on a simulated host, whose guests say back what is typed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import ssh2 from 'ssh2';
import { addSecondFactor, setPassword } from '../../src/app/user.ts';
import { totpCode } from '../../src/model/totp.ts';
import type { Database } from '../../src/store/database.ts';
import { type KeyPair, keyPair } from '../agent/ssh/support.ts';
import { addUser, asOperator } from '../api/bytemark/identity.ts';
import { deployed, openStore, removed, untilStatus } from '../api/support.ts';
import { startTestBerth, type TestBerth, until } from '../support/berth.ts';
import {
  addVisitor,
  attempt,
  attemptByPassword,
  authorize,
  isLetIn,
  managementAddress,
  Person,
  untilDoor,
} from './support.ts';

let directory: string;
let berth: TestBerth;
let database: Database;
let key: KeyPair;
let vm: string;
let address: string;

/** The first account's user. */
const admin = 'admin';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-console-'));
  berth = await startTestBerth({ addressPool: '127.68.0.0/24', consolePool: '127.69.0.0/24' });
  database = await openStore(berth);
  key = await keyPair(directory, 'admin');
  await authorize(database, admin, key);
  [vm = ''] = await deployed(berth);
  await untilStatus(berth, vm, 'Active');
  address = await managementAddress(database, vm);
  await untilDoor(address);
});
after(async () => {
  await database.destroy();
  await berth.close();
  await rm(directory, { recursive: true });
});

test('a shell at the door is the serial port, both ways', async () => {
  const person = new Person(admin, key, address);
  person.type('hello\r');
  await person.sees('hello\r');
  await person.leave();
});

test('every VM has an address out of the pool, which is free again when the VM is gone', async () => {
  const [other = ''] = await deployed(berth);
  const at = await managementAddress(database, other);
  assert.match(at, /^127\.69\.0\.\d+$/);
  assert.notEqual(at, address);
  await untilDoor(at);
  await removed(berth, database, [other]);
  assert.equal(
    await database.selectFrom('management_address').where('ip', '=', at).selectAll().executeTakeFirst(),
    undefined,
  );
  await untilDoor(at, false);
});

test('one needs a key of the user, and the user a privilege on the VM', async () => {
  const { account_id: accountId } = await database
    .selectFrom('instance')
    .where('id', '=', vm)
    .select('account_id')
    .executeTakeFirstOrThrow();
  const stranger = await addVisitor(database, directory);
  const viewer = await addVisitor(database, directory, { level: 'vm_console', instanceId: vm });
  const manager = await addVisitor(database, directory, { level: 'account_admin', accountId });
  assert.equal(await isLetIn(admin, key, address), true);
  assert.equal(await isLetIn(admin, stranger.key, address), false, "somebody else's key");
  assert.equal(await isLetIn(stranger.username, stranger.key, address), false, 'no privilege');
  assert.equal(await isLetIn('nobody', key, address), false, 'no user');
  assert.equal(await isLetIn(viewer.username, viewer.key, address), true);
  assert.equal(await isLetIn(manager.username, manager.key, address), true);

  const [other = ''] = await deployed(berth);
  const elsewhere = await managementAddress(database, other);
  await untilDoor(elsewhere);
  assert.equal(await isLetIn(viewer.username, viewer.key, elsewhere), false, 'a privilege on another VM');
  assert.equal(await isLetIn(manager.username, manager.key, elsewhere), true);
});

test('a privilege on a VM of another account opens no door', async () => {
  const other = await database
    .insertInto('account')
    .values({ id: crypto.randomUUID(), name: 'other', created_at: new Date() })
    .returning('id')
    .executeTakeFirstOrThrow();
  const neighbour = await addVisitor(database, directory, { level: 'account_admin', accountId: other.id });
  assert.equal(await isLetIn(neighbour.username, neighbour.key, address), false);
});

test("a user's password does as well, and is slowed down when it is guessed", async () => {
  const { password } = JSON.parse(await readFile(join(berth.directory, 'credentials.json'), 'utf8'));
  for (const method of ['password', 'keyboard-interactive'] as const) {
    const { stderr } = await attemptByPassword(directory, admin, [password], address, method);
    assert.match(stderr, /takes no commands/, method);
  }
  const wrong = await attemptByPassword(directory, admin, ['wrong'], address, 'password');
  assert.match(wrong.stderr, /Permission denied/);
  const failures = await database.selectFrom('login_failure').select('count').execute();
  assert.ok(failures.some(({ count }) => count > 0));
  await database.deleteFrom('login_failure').execute();
});

test('who has a second factor is asked for its code, and the password alone is not enough', async () => {
  const { username, password } = await addUser(berth, 'default');
  const uri = await asOperator(berth, (context) => addSecondFactor(context, username));
  const code = () => totpCode(new URL(uri).searchParams.get('secret') ?? '', new Date());
  const by = (method: 'password' | 'keyboard-interactive', ...answers: string[]) =>
    attemptByPassword(directory, username, answers, address, method);
  assert.match((await by('password', password)).stderr, /Permission denied/);
  assert.match((await by('keyboard-interactive', password, '000000')).stderr, /Permission denied/);
  assert.match((await by('keyboard-interactive', password, code())).stderr, /takes no commands/);
  await database.deleteFrom('login_failure').execute();
});

test('commands, other tunnels and file transfer are refused, and the door says what it is', async () => {
  const { code, stderr } = await attempt(admin, key, address);
  assert.equal(code, 255);
  assert.match(stderr, /serial console and takes no commands/);
  const tunnel = new Person(admin, key, address, ['-W', '127.0.0.1:8080']);
  await tunnel.left;
  assert.match(tunnel.complaints, /open failed|forwarding failed/);
});

test('a soft-deleted VM has no door; who is inside is shown out', async () => {
  const [gone = ''] = await deployed(berth);
  await untilStatus(berth, gone, 'Active');
  const at = await managementAddress(database, gone);
  await untilDoor(at);
  const person = new Person(admin, key, at);
  person.type('inside\r');
  await person.sees('inside\r');
  await database.updateTable('instance').set({ status: 'soft-deleted' }).where('id', '=', gone).execute();
  await untilDoor(at, false);
  assert.equal(await person.left, 255);
  assert.equal(await managementAddress(database, gone), at, 'it keeps its address');
});

test('who lost his privilege uses no console any more, also where he does not go', async () => {
  const visitor = await addVisitor(database, directory, { level: 'vm_console', instanceId: vm });
  const socket = connect({ host: address, port: 22, allowHalfOpen: true });
  const client = new ssh2.Client();
  client.on('error', () => {});
  const privateKey = await readFile(visitor.key.path);
  client.connect({ sock: socket, username: visitor.username, privateKey });
  await once(client, 'ready');
  const shell = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
    client.shell((error, channel) => (error ? reject(error) : resolve(channel))),
  );
  shell.write('hello\r');
  await once(shell, 'data');
  // He hears that he is to go, and stays.
  Object.assign(socket, { end: () => socket });
  const open = () => database.selectFrom('console').where('instance_id', '=', vm).select('id').execute();
  assert.equal((await open()).length, 1);
  await database.deleteFrom('privilege').where('instance_id', '=', vm).execute();
  await until('his console is closed', async () => (await open()).length === 0, 30_000);
  assert.equal(socket.closed, false);
  socket.destroy();
});

test('a key that is taken away and another password show out who came with them', async () => {
  const visitor = await addVisitor(database, directory, { level: 'vm_console', instanceId: vm });
  const { username, password } = await addUser(berth, 'default');
  const enter = async (shown: ssh2.ConnectConfig) => {
    const client = new ssh2.Client();
    client.on('error', () => {});
    client.connect({ host: address, port: 22, ...shown });
    await once(client, 'ready');
    const shell = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
      client.shell((error, channel) => (error ? reject(error) : resolve(channel))),
    );
    shell.write('hello\r');
    await once(shell, 'data');
    return once(client, 'close');
  };
  const byKey = enter({ username: visitor.username, privateKey: await readFile(visitor.key.path) });
  const byPassword = enter({ username, password });
  const open = () => database.selectFrom('console').where('instance_id', '=', vm).select('id').execute();
  await until('both are in', async () => (await open()).length === 2);
  const other = await keyPair(directory, 'other');
  await authorize(database, visitor.username, other);
  await asOperator(berth, (context) => setPassword(context, username, 'quite another passphrase', 'password'));
  await Promise.all([byKey, byPassword]);
  await until('nothing is open', async () => (await open()).length === 0);
});

test('who opened a console is told in the events of its VM', async () => {
  const events = await database
    .selectFrom('event')
    .where('instance_id', '=', vm)
    .where('kind', '=', 'console.opened')
    .select(['actor', 'message', 'data'])
    .orderBy('id')
    .execute();
  assert.deepEqual(events[0], {
    actor: 'user:admin',
    message: 'The serial console was opened.',
    data: { channel: 'serial' },
  });
});

test('a VM has eight consoles at once; the ninth is told so', async () => {
  const people = Array.from({ length: 8 }, () => new Person(admin, key, address));
  for (const person of people) person.type('in\r');
  for (const person of people) await person.sees('in\r');
  const ninth = new Person(admin, key, address);
  await ninth.left;
  assert.match(ninth.complaints, /8 consoles of this server are open/);
  await Promise.all(people.map((person) => person.leave()));
  await until('all are closed', async () => (await database.selectFrom('console').selectAll().execute()).length === 0);
});

test('the door is known again after a restart of the server', async () => {
  const hosts = join(directory, 'known-hosts');
  const options = [`UserKnownHostsFile=${hosts}`, 'StrictHostKeyChecking=accept-new'];
  const visit = () => new Person(admin, key, address, ['-tt', ...options.flatMap((option) => ['-o', option])]);
  for (const round of ['first', 'second']) {
    const person = visit();
    person.type(`${round}\r`);
    await person.sees(`${round}\r`);
    await person.leave();
    if (round === 'second') break;
    await database.destroy();
    await berth.restart();
    database = await openStore(berth);
    await untilDoor(address);
  }
});
