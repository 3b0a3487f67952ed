// Consoles among several servers: a person is at one server's door, and his VM's host talks to another one.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { Consoles } from '../../src/agent/consoles.ts';
import type { OfferedConsole } from '../../src/api/agent/contract/console.ts';
import { ensureLocalHost } from '../../src/app/bootstrap.ts';
import { ConsoleExchange } from '../../src/app/console.ts';
import { makeEnrolmentToken } from '../../src/app/host.ts';
import { readSettings } from '../../src/app/settings.ts';
import { type RunningAgent, startAgent } from '../../src/compose/agent.ts';
import { parseListenAddress } from '../../src/compose/listen.ts';
import { ensureSecretKey } from '../../src/compose/secret-key.ts';
import { type RunningServer, startServer } from '../../src/compose/server.ts';
import { systemEntropy } from '../../src/compose/system.ts';
import type { Database } from '../../src/store/database.ts';
import { findPlace } from '../../src/store/embedded/place.ts';
import { findManagedVm } from '../../src/store/management-address.ts';
import { type KeyPair, keyPair } from '../agent/ssh/support.ts';
import { asOperator } from '../api/bytemark/identity.ts';
import { deployed, openStore, untilStatus } from '../api/support.ts';
import { calm, roomy, startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { authorize, managementAddress, Person, untilDoor } from './support.ts';

/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:9';

let directory: string;
let berth: TestBerth;
let database: Database;
let second: RunningServer;
let agent: RunningAgent;
let key: KeyPair;
let address: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-test-console-'));
  // Its own agent has no room, so VMs are the other one's.
  const noRoom = { cores: 0, memoryMib: 0, diskGib: 0 };
  const pools = { addressPool: '127.68.2.0/24', consolePool: '127.69.2.0/24' };
  berth = await startTestBerth({ ...pools, agent: { capacity: noRoom } });
  database = await openStore(berth);
  const { connectionString } = await findPlace(join(berth.directory, 'postgres'));
  const logger = pino({ level: 'silent' });
  second = await startServer(
    {
      ...{ connectionString, listen: parseListenAddress('127.0.0.1:0'), settings: await readSettings('') },
      ...{ imageDirectory: join(directory, 'images'), allowedImageHosts: [], allowedCallbackHosts: [], logger },
      secretKey: await ensureSecretKey(join(berth.directory, 'secret.key'), systemEntropy),
    },
    async () => {},
  );
  const hostId = await ensureLocalHost(second.context, 'far', '127.68.3.0/24');
  agent = await startAgent(
    {
      ...{ serverUrls: [second.url], directory: join(directory, 'agent'), allowedImageHosts: [], logger },
      ...{ token: () => makeEnrolmentToken(second.context, hostId), storageType: undefined },
      simulated: { behaviour: calm, capacity: roomy },
    },
    new AbortController().signal,
  );
  key = await keyPair(directory, 'admin');
  await authorize(database, 'admin', key);
  await until('the host has room', async () => {
    const host = await database.selectFrom('host').where('id', '=', hostId).selectAll().executeTakeFirst();
    return (host?.vcpus_limit ?? 0) > 0;
  });
  const [vm = ''] = await deployed(berth);
  await untilStatus(berth, vm, 'Active');
  address = await managementAddress(database, vm);
  await untilDoor(address);
});
after(async () => {
  await agent.close();
  await second.close();
  await database.destroy();
  await berth.close();
  await rm(directory, { recursive: true });
});

test('a host that talks to another server connects the console with the one that asks', async () => {
  const person = new Person('admin', key, address);
  person.type('far away\r');
  await person.sees('far away\r');
  await person.leave();
});

test('a host that reaches only the other server is passed on by it, and heard when it refuses', async () => {
  await agent.close();
  const asked = async (answer: ConstructorParameters<typeof Consoles>[0]['console']) => {
    const consoles = new Consoles({ serverUrls: [second.url], console: answer, logger: { warn() {} } });
    const person = new Person('admin', key, address);
    await until('the console is asked for', async () => {
      const row = await database.selectFrom('console').where('answered', '=', false).selectAll().executeTakeFirst();
      if (row) consoles.offer([{ ...row, instanceId: row.instance_id, serverUrl: nowhere }]);
      return row !== undefined;
    });
    return { consoles, person };
  };
  const { consoles, person } = await asked(async () => new PassThrough());
  person.type('through another\r');
  await person.sees('through another\r');
  consoles.stop();
  await person.left;

  const refused = await asked(async () => {
    throw new Error('no');
  });
  await refused.person.left;
  assert.match(refused.person.complaints, /host can't open this console at the moment/);
});

test('a ticket is good for its own console, once, and for nobody else', async () => {
  const person = new Person('admin', key, address);
  let opened = 0;
  await until('the console is asked for', async () => {
    const row = await database.selectFrom('console').where('answered', '=', false).selectAll().executeTakeFirst();
    if (!row) return false;
    const order = { ...row, instanceId: row.instance_id, serverUrl: berth.url };
    const offer = (change: object) => {
      const warned = Promise.withResolvers<void>();
      const console = async () => {
        opened += 1;
        return new PassThrough();
      };
      new Consoles({ serverUrls: [], console, logger: { warn: () => warned.resolve() } }).offer([
        { ...order, ...change },
      ]);
      return warned.promise;
    };
    await offer({ ticket: 'console_guessed' });
    await offer({ id: crypto.randomUUID() });
    void offer({});
    person.type('mine\r');
    await person.sees('mine\r');
    await offer({});
    return true;
  });
  assert.equal(opened, 4);
  person.type('still mine\r');
  await person.sees('still mine\r');
  await person.leave();
});

test('only what is a console is upgraded: what offers other protocols is served, what shows no ticket is refused', async () => {
  const ask = (path: string, protocol: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { connection: 'upgrade', upgrade: protocol };
      const sent = get(`${berth.url}${path}`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.once('upgrade', (_response, socket) => {
        socket.destroy();
        resolve(101);
      });
      sent.once('error', reject);
    });
  assert.equal(await ask('/healthz', 'h2c'), 200);
  assert.equal(await ask('/healthz', 'berth-console'), 404);
  assert.equal(await ask(`/agent/v1/consoles/${crypto.randomUUID()}`, 'berth-console'), 404);
});

/** The console that is asked for. */
async function untilAsked(channel: 'serial' | 'vnc') {
  let asked: OfferedConsole | undefined;
  await until('the console is asked for', async () => {
    const query = database.selectFrom('console').where('answered', '=', false).where('channel', '=', channel);
    const row = await query.selectAll().executeTakeFirst();
    asked = row && { ...row, instanceId: row.instance_id, serverUrl: berth.url };
    return asked !== undefined;
  });
  return asked ?? assert.fail();
}

const hasNone = async () => (await database.selectFrom('console').selectAll().execute()).length === 0;

test('a screen that comes when its person has gone is closed', async () => {
  const person = new Person('admin', key, address, ['-W', `${address}:5900`]);
  const asked = await untilAsked('vnc');
  await person.leave();
  // The server hears of it.
  await sleep(500);
  const screen = new PassThrough();
  new Consoles({ serverUrls: [], console: async () => screen, logger: { warn() {} } }).offer([asked]);
  await until('the screen is closed', async () => screen.closed);
  await until('nothing is left of it', hasNone);
});

test('a console that can not be noted is nobody’s, and closed', async () => {
  await asOperator(berth, async (context) => {
    const exchange = new ConsoleExchange(context);
    const vm = (await findManagedVm(context.database, address)) ?? assert.fail();
    // Of an account that is not there no event can be written; and no host hears of it.
    const elsewhere = { ...vm, accountId: randomUUID(), hostId: randomUUID() };
    const opening = exchange.open('user:admin', elsewhere, 'serial');
    opening.catch(() => {});
    const { id, ticket } = await untilAsked('serial');
    const connection = new PassThrough();
    assert.ok(exchange.connected(id, ticket, () => connection));
    await assert.rejects(opening);
    assert.ok(connection.destroyed);
  });
});

test('who is refused is let go, whether he goes or not, and whatever he asks for', async () => {
  const { hostname, port } = new URL(berth.url);
  for (const path of ['/healthz', '//', 'http://[']) {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: berth-console\r\n\r\n`);
    await once(socket, 'end');
    assert.match(answer, /^HTTP\/1\.1 404 /, path);
    const isLetGo = once(socket, 'error');
    // Whoever is let go hears so when he goes on talking.
    const talking = setInterval(() => socket.write('still here'), 50);
    try {
      await Promise.race([
        isLetGo,
        sleep(30_000, null, { ref: false }).then(() => assert.fail(`${path}: the server keeps the connection`)),
      ]);
    } finally {
      clearInterval(talking);
      socket.destroy();
    }
  }
});

test('who looks for a console whose host does not answer is told so', async () => {
  const person = new Person('admin', key, address);
  assert.equal(await person.left, 255);
  assert.match(person.complaints, /does not answer/);
  await until('nothing is left of it', hasNone);
});
