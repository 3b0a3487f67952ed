// Who gets in by SSH and how much one may take: keys, limits, and clients that don't keep to the rules.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, { type Client } from 'ssh2';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { Redirects } from '../../../src/agent/network/redirects.ts';
import { SshFront } from '../../../src/agent/ssh/front.ts';
import { until } from '../../support/berth.ts';
import { clientOptions, type KeyPair, keyPair, LocalContainers, runToEnd } from './support.ts';

const port = 2222;
const [one, other] = [`0x${'1'.repeat(40)}`, `0x${'2'.repeat(40)}`];
const addresses = { [one]: '127.47.1.1', [other]: '127.47.1.2' };
const redirects = new Redirects();
const quiet = { debug: () => {}, warn: () => {} };

let directory: string;
let keys: Record<'own' | 'others' | 'rsa' | 'ecdsa' | 'strange', KeyPair>;
let containers: LocalContainers;
let front: SshFront;

const place = (instanceId: string, ...pairs: KeyPair[]) =>
  [instanceId, { address: addresses[instanceId] ?? '', port, keys: pairs.map(({ line }) => line) }] as const;
const usual = () => new Map([place(one, keys.own, keys.rsa, keys.ecdsa), place(other, keys.others)]);
const makeFront = (
  limits?: ConstructorParameters<typeof SshFront>[0]['limits'],
  addressOf: (instanceId: string) => Promise<string | undefined> = async () => '127.0.0.1',
) =>
  new SshFront({
    hostKeyFile: join(directory, 'host-key'),
    exec: (instanceId, request) => containers.exec(instanceId, request),
    addressOf,
    redirect: (place, port) => redirects.set(place, port),
    logger: quiet,
    ...(limits ? { limits } : {}),
  });

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-ssh-'));
  keys = {
    own: await keyPair(directory, 'own'),
    others: await keyPair(directory, 'others'),
    rsa: await keyPair(directory, 'rsa', 'rsa'),
    ecdsa: await keyPair(directory, 'ecdsa', 'ecdsa'),
    strange: await keyPair(directory, 'strange'),
  };
  containers = new LocalContainers();
  front = makeFront();
  await front.open();
  assert.deepEqual(await front.apply(usual()), new Map());
});
afterEach(async () => {
  await front.apply(usual());
});
after(async () => {
  await front.close();
  await rm(directory, { recursive: true });
});

const login = (key: KeyPair, instanceId = one, options: string[] = []) =>
  runToEnd('ssh', [...clientOptions(key, [`Port=${port}`, ...options]), `me@${addresses[instanceId]}`, 'echo in']);
const isIn = async (key: KeyPair, instanceId = one) => {
  const { code, stdout, stderr } = await login(key, instanceId);
  if (code === 0) assert.equal(String(stdout), 'in\n');
  else assert.match(stderr, /Permission denied \(publickey\)/);
  return code === 0;
};

test('keys of every usual kind open their own container, and no other key does', async () => {
  for (const key of [keys.own, keys.rsa, keys.ecdsa]) assert.equal(await isIn(key), true, key.line);
  assert.equal(await isIn(keys.strange), false);
  assert.equal(await isIn(keys.others), false, 'a key of another container');
  assert.equal(await isIn(keys.others, other), true);
});

test('a key is asked for and nothing else', async () => {
  const { code, stderr } = await login(keys.own, one, [
    'PubkeyAuthentication=no',
    'BatchMode=no',
    'NumberOfPasswordPrompts=3',
  ]);
  assert.equal(code, 255);
  assert.match(stderr, /Permission denied \(publickey\)/);
});

test('other keys replace those of before, while who is in stays in, and the host keeps its key', async () => {
  const staying = runToEnd('ssh', [
    ...clientOptions(keys.own, [`Port=${port}`]),
    `me@${addresses[one]}`,
    'sleep 3; echo stayed',
  ]);
  await until('the session runs', async () => containers.requests.at(-1)?.command.at(-1)?.includes('stayed') === true);
  await front.apply(new Map([place(one, keys.strange), place(other, keys.others)]));
  assert.equal(await isIn(keys.own), false);
  assert.equal(await isIn(keys.strange), true);
  assert.equal(String((await staying).stdout), 'stayed\n');

  const hostKey = () => runToEnd('ssh-keyscan', ['-t', 'ed25519', '-p', String(port), addresses[one] ?? '']);
  const before = String((await hostKey()).stdout);
  assert.match(before, /ssh-ed25519/);
  await front.close();
  front = makeFront();
  await front.open();
  await front.apply(usual());
  assert.equal(String((await hostKey()).stdout), before);
  assert.match(await readFile(join(directory, 'host-key'), 'utf8'), /PRIVATE KEY/);
});

test('a container that is not to be reached any more is not, and its sessions end', async () => {
  const running = runToEnd('ssh', [
    ...clientOptions(keys.own, [`Port=${port}`]),
    `me@${addresses[one]}`,
    'echo begun; exec sleep 60',
  ]);
  await until('the session runs', async () => containers.requests.at(-1)?.command.at(-1)?.includes('begun') === true);
  await front.apply(new Map([place(other, keys.others)]));
  assert.equal((await running).code, 255);
  assert.equal(await isTaken(one), false);
  assert.equal(await isIn(keys.others, other), true);
});

test('an address that can’t be had is told of, and the others are served', async () => {
  const failures = await front.apply(new Map([...usual(), ['0x3', { address: '192.0.2.1', port, keys: [] }]]));
  assert.deepEqual([...failures.keys()], ['0x3']);
  assert.match(String(failures.get('0x3')), /EADDRNOTAVAIL/);
  assert.equal(await isIn(keys.own), true);
});

test('while a container does not run, whoever logs in is told', async () => {
  const { exec } = containers;
  const failing = async () => {
    throw new DriverFailure('container.not-running', 'The container does not run.', false);
  };
  Object.assign(containers, { exec: failing });
  const { code, stderr } = await login(keys.own).finally(() => Object.assign(containers, { exec }));
  assert.equal(code, 255);
  assert.match(stderr, /does not run/);
});

test('the 21st connection to a container is refused, also before it has said anything, and room that is left is used', async () => {
  const silent = await Promise.all(Array.from({ length: 10 }, () => opened(one)));
  const clients = await Promise.all(Array.from({ length: 10 }, () => client()));
  assert.equal(await isTaken(one), false);
  assert.equal(await isIn(keys.others, other), true, 'another container has room of its own');
  for (const socket of silent) socket.destroy();
  await until('there is room again', () => isTaken(one));
  assert.equal(await isIn(keys.own), true);
  for (const each of clients) each.end();
});

test('who does not log in in time is shown out', async () => {
  const strict = makeFront({ handshakeMs: 300 });
  await strict.open();
  await strict.apply(new Map([[one, { address: '127.47.1.9', port, keys: [keys.own.line] }]]));
  try {
    const silent = connect(port, '127.47.1.9');
    const talking = connect(port, '127.47.1.9');
    talking.write('SSH-2.0-nothing\r\n');
    await Promise.all([ended(silent), ended(talking)]);
  } finally {
    await strict.close();
  }
});

test('the sixth wrong key ends the connection', async () => {
  const wrong = await Promise.all(Array.from({ length: 6 }, (_, index) => keyPair(directory, `wrong-${index}`)));
  const identities = wrong.flatMap(({ path }) => ['-i', path]);
  const tried = (count: number) =>
    runToEnd('ssh', [
      ...identities.slice(0, 2 * count),
      ...clientOptions(keys.own, [`Port=${port}`]),
      `me@${addresses[one]}`,
      'true',
    ]);
  assert.equal((await tried(5)).code, 0, 'after five wrong ones the right one is heard');
  const { code, stderr } = await tried(6);
  assert.equal(code, 255);
  assert.doesNotMatch(stderr, /Permission denied/);
});

test('a port that is none is refused, and the process goes on', async () => {
  const rude = await client();
  const reason = await new Promise<Error | undefined>((resolve) =>
    rude.forwardOut('127.0.0.1', 1, 'localhost', 70_000, resolve),
  );
  assert.match(String(reason), /Channel open failure/);
  rude.end();
  assert.equal(await isIn(keys.own), true);
});

test('a second command on one channel is not run, and the process goes on', async () => {
  const rude = await client();
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) =>
    rude.exec('sleep 1; echo first', (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  const asked = containers.requests.length;
  const { _protocol: protocol } = rude as unknown as Pick<Internals, '_protocol'>;
  const { outgoing } = channel as unknown as Pick<Internals, 'outgoing'>;
  protocol.exec(outgoing.id, 'echo second', false);
  protocol.subsystem(outgoing.id, 'sftp', false);
  const said = await new Promise<string>((resolve) => {
    let text = '';
    channel.on('data', (chunk: Buffer) => (text += chunk)).once('close', () => resolve(text));
  });
  assert.equal(said, 'first\n');
  assert.equal(containers.requests.length, asked);
  rude.end();
  assert.equal(await isIn(keys.own), true);
});

/** What ssh2's client does not offer, because no well-behaved client does it. */
interface Internals {
  _protocol: Record<'exec' | 'subsystem', (channel: number, what: string, wantReply: boolean) => void>;
  outgoing: { id: number };
}

test('a connection holds so many channels and no more', async () => {
  const greedy = await client();
  const results = await Promise.all(
    Array.from(
      { length: 60 },
      () => new Promise<boolean>((resolve) => greedy.exec('sleep 5', (error) => resolve(error === undefined))),
    ),
  );
  assert.equal(results.filter(Boolean).length, 50);
  greedy.end();
});

test('ports that are being dialled count as channels, and are let go of when their client vanishes', async () => {
  const taken: Socket[] = [];
  const container = createServer((socket) => taken.push(socket.resume())).listen(0, '127.0.0.1');
  await once(container, 'listening');
  const { port: inside } = container.address() as AddressInfo;
  const found = Promise.withResolvers<string>();
  const slow = makeFront({ channels: 3 }, () => found.promise);
  const address = '127.47.1.4';
  await slow.open();
  try {
    await slow.apply(new Map([[one, { address, port, keys: [keys.own.line] }]]));
    const person = await client(address);
    let refused = 0;
    for (let count = 0; count < 5; count += 1) {
      person.forwardOut('127.0.0.1', 0, '127.0.0.1', inside, (error) => {
        if (error) refused += 1;
      });
    }
    await until('two are refused', async () => refused === 2);
    person.destroy();
    // The door hears of it.
    await sleep(500);
    found.resolve('127.0.0.1');
    await until('three were dialled', async () => taken.length === 3);
    await until('none is left', async () => taken.every(({ closed }) => closed), 10_000);
  } finally {
    await slow.close();
    for (const socket of taken) socket.destroy();
    container.close();
  }
});

test('what runs for a client that vanishes is let go of', async () => {
  const child: ChildProcess = spawn('ssh', [
    ...clientOptions(keys.own, [`Port=${port}`]),
    `me@${addresses[one]}`,
    'exec sleep 54321',
  ]);
  const pids = async () => String((await runToEnd('pgrep', ['-f', '^sleep 54321$'])).stdout).trim();
  await until('the command runs', async () => (await pids()) !== '');
  child.kill('SIGKILL');
  await until('it has ended', async () => (await pids()) === '');
});

test('nothing is compressed: not before a login, and a client that would like it and vanishes ends nobody else', async () => {
  const bomb = new ssh2.Client();
  bomb.once('ready', () => bomb.emit('error', new Error('he is let in')));
  const privateKey = await readFile(keys.own.path);
  const compress = ['zlib' as const];
  bomb.connect({ host: addresses[one] ?? '', port, username: 'me', privateKey, algorithms: { compress } });
  const [reason] = await once(bomb, 'error');
  assert.match(String(reason), /no matching .* compression/);

  const options = clientOptions(keys.own, [`Port=${port}`, 'Compression=yes']);
  const talk = 'while echo said; do sleep 0.01; done';
  const child = spawn('ssh', [...options, `me@${addresses[one]}`, talk], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await isIn(keys.own), true);
});

/** A connection that has said nothing yet, once the server has. */
async function opened(instanceId: string): Promise<Socket> {
  const socket = connect(port, addresses[instanceId] ?? '');
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

/** Whether a new connection is taken. */
function isTaken(instanceId: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, addresses[instanceId] ?? '');
    const say = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('data', () => say(true));
    socket.once('error', () => say(false));
    socket.once('close', () => say(false));
  });
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.resume().once('close', resolve);
  });
}

/** A client that has logged in. */
function client(host = addresses[one] ?? ''): Promise<Client> {
  return new Promise((resolve, reject) => {
    const fresh = new ssh2.Client();
    fresh.once('ready', () => resolve(fresh)).once('error', reject);
    void readFile(keys.own.path).then((privateKey) => {
      fresh.connect({ host, port, username: 'me', privateKey });
    });
  });
}

test('a port that a program of the host has on every address is the container’s on its own', async () => {
  // As the host's own sshd has 22.
  const taken = 2299;
  const holder = createServer((socket) => socket.end('not this one\n')).listen(taken, '0.0.0.0');
  await once(holder, 'listening');
  const address = '127.47.1.3';
  const third = makeFront();
  await third.open();
  const open = new Map([[one, { address, port: taken, keys: [keys.own.line] }]]);
  const login = () =>
    runToEnd('ssh', [...clientOptions(keys.own), '-p', String(taken), `root@${address}`, 'echo mine']);
  try {
    assert.deepEqual(await third.apply(open), new Map());
    assert.equal((await login()).stdout.toString(), 'mine\n');
    await third.close();
    assert.notEqual((await login()).code, 0, 'afterwards it is the host’s again');
    assert.deepEqual(await third.apply(open), new Map(), 'and the container’s once more');
    assert.equal((await login()).stdout.toString(), 'mine\n');
  } finally {
    await third.close();
    holder.close();
  }
});
