// A Berth with something of every kind in it, for tests that send every operation by its example: the ids of an example stand for
// things that are made when they are needed, so that no operation is in another's way.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type IdKind,
  kindOfSample,
  parseId,
  sampleAddress,
  sampleHostWithAgent,
  sampleOrphan,
  sampleOwnImage,
  samplesOff,
  toId,
} from '../../../src/api/native/id.ts';
import { sha256 } from '../../../src/app/authenticate.ts';
import { addUser as addUserAs } from '../../../src/app/user.ts';
import { totpCode } from '../../../src/model/totp.ts';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, callApi, startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { addUser, asOperator, grant, tokenOf } from '../bytemark/identity.ts';
import { changed } from '../bytemark/vms.ts';
import { addDatacenter } from '../fluence/market.ts';
import { deployBody, deployed, keys, openStore, untilStatus } from '../support.ts';
import type { Operation } from './document.ts';
import { operatorMakers } from './operator-makers.ts';

const base = '/berth/v1';

/** The user of the example of a login. */
const ann = { username: 'ann', password: 'correct horse battery staple' };

/** A Berth for such tests. */
export interface World {
  berth: TestBerth;
  database: Database;
  /** A session of who runs the whole. */
  operator: string;
  accountId: string;
  /**
   * Makes something of a kind.
   * @param sample what stands for it in an example
   * @returns its id
   */
  make(kind: IdKind, sample?: string): Promise<string>;
  /** Opens a session of a user who runs the first account. @returns its token */
  session(): Promise<string>;
  /** Makes an additional address. */
  makeAddress(): Promise<string>;
  /** Adds a key of the first account, or of another. @returns its secret */
  addKey(more?: { accountId?: string; scope?: 'read-only'; expiresAt?: Date; revokedAt?: Date }): Promise<string>;
  /** A new account with a key. */
  addStranger(): Promise<{ key: string; accountId: string }>;
  close(): Promise<void>;
}

/** Starts it. */
export async function startWorld(): Promise<World> {
  const berth = await startTestBerth();
  const database = await openStore(berth);
  const accountId = (await database.selectFrom('account').select('id').executeTakeFirstOrThrow()).id;
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  const operator = await tokenOf(berth, user);
  await asOperator(berth, (context) => addUserAs(context, accountId, ann, { username: '', password: '' }));
  const session = () => tokenOf(berth, ann);
  let made = 0;
  /** The host that an example names before a part of it. */
  let lastHost = '';
  let newestWebhook = '';
  const makers: Partial<Record<IdKind, (sample: string) => Promise<string>>> = {
    ...operatorMakers(
      database,
      async (path, body) =>
        (await callApi<Record<string, string>>(berth.url, operator, 'POST', base + path, body)).body,
      () => made,
    ),
    account: async () => toId('account', accountId),
    datacenter: async () => toId('datacenter', await addDatacenter(database, 'PL', 'POZ', { cityIndex: made })),
    image: async (sample) => {
      if (sample === sampleOwnImage) {
        const image = { url: 'https://images.example.com/own.qcow2', sha256: 'a'.repeat(64) };
        return post('/images', { account: 'default', name: `own-${made}`, ...image });
      }
      const { id } = await database.selectFrom('image').select('id').limit(1).executeTakeFirstOrThrow();
      return toId('image', id);
    },
    backup: async () => {
      const id = await post(`/disks/${await world.make('disk')}/backups`);
      await until(`backup ${id} is there`, async () => {
        const { body } = await berth.call<{ state: string }>('GET', `${base}/backups/${id}`);
        return body.state === 'ready';
      });
      return id;
    },
    backupSchedule: async () =>
      post(`/disks/${await world.make('disk')}/backup-schedules`, { startAt: '03:30', intervalSeconds: 86_400 }),
    deployment: () => post('/deployments', { account: 'default', name: `deployed-${made}`, image: 'micro', count: 2 }),
    disk: async () => {
      const instance = await world.make('instance', samplesOff[0]);
      return post(`/instances/${instance}/disks`, { sizeMib: 1_024 });
    },
    quote: () => post('/quotes', { account: 'default', vcpus: 1, memoryMib: 1024, diskGib: 1 }),
    group: () => post('/groups', { account: 'default', name: `group-${made}` }),
    host: async (sample) => {
      const real = database.selectFrom('host').select('id').orderBy('created_at').limit(1);
      if (sample === sampleHostWithAgent) return toId('host', (await real.executeTakeFirstOrThrow()).id);
      const path = `${base}/hosts/enrolment-tokens`;
      const answer = await callApi<{ host: string }>(berth.url, operator, 'POST', path, { name: `edge-host-${made}` });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      lastHost = answer.body.host;
      return lastHost;
    },
    addressPool: () => post(`/hosts/${lastHost}/address-pools`, { cidr: `127.90.${made}.0/24` }),
    price: () => post('/prices', { vcpu: `0.${made}`, memoryGib: '0.1', storageGib: '0.01', publicIp: '0.1' }),
    slot: async () => {
      const size = { vcpus: 1, memoryGib: 1, diskGib: 1 };
      const [host, name] = [await world.make('host', sampleHostWithAgent), `slot-${made}`];
      return post('/slots', { host, name, ...size, prices: { hour: '0.01' } });
    },
    transaction: async () => {
      const { accountId: account } = await world.addStranger();
      return post(`/accounts/${toId('account', account)}/credits`, { amount: '1', reason: 'a test' });
    },
    instance: async (sample) => {
      if (sample === sampleOrphan) return makeOrphan(database, await world.make('host'), made);
      const name = `vm-${made}`;
      const [id = ''] = await deployed(berth, deployBody({ name }));
      await untilStatus(berth, id, 'Active');
      if (samplesOff.some((one) => one === sample))
        await changed(berth, name, { autoreboot_on: false, power_on: false });
      return toId('instance', id);
    },
    operation: async () => {
      return post(`/instances/${await world.make('instance')}/power`, { action: 'stop' });
    },
    apiKey: () => post('/api-keys', { account: 'default', name: `key-${made}` }),
    privilege: async () => {
      const [user, group] = [await makers.user?.(''), await makers.group?.('')];
      return post('/privileges', { user, level: 'group_admin', group });
    },
    session: async () => {
      const answer = await callApi<{ id: string }>(berth.url, null, 'POST', `${base}/sessions`, ann);
      return answer.body.id;
    },
    user: async () => {
      const { username } = await addUser(berth, 'default');
      const row = database.selectFrom('user').where('username', '=', username).select('id');
      return toId('user', (await row.executeTakeFirstOrThrow()).id);
    },
    sshKey: async () => {
      const [type] = keys.ed25519.split(' ');
      const blob = Buffer.from(keys.ed25519.split(' ')[1] ?? '', 'base64');
      blob.writeUInt32BE(made, blob.length - 4);
      return post('/ssh-keys', {
        account: 'default',
        name: `key-${made}`,
        publicKey: `${type} ${blob.toString('base64')}`,
      });
    },
    webhook: async () => {
      newestWebhook = await post('/webhooks', {
        ...{ account: 'default', url: 'https://hooks.example.com/berth', kinds: ['webhook'] },
      });
      return newestWebhook;
    },
    // Of the webhook that the same example names, which was told of itself.
    delivery: async () => {
      if (!newestWebhook) await world.make('webhook');
      const path = `${base}/webhooks/${newestWebhook}/deliveries`;
      const { body } = await callApi<{ items: { id: string }[] }>(berth.url, operator, 'GET', path);
      return body.items[0]?.id ?? '';
    },
  };
  async function post(path: string, body?: object): Promise<string> {
    const answer = await callApi<{ id: string }>(berth.url, operator, 'POST', base + path, body);
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return answer.body.id;
  }
  const world: World = {
    ...{ berth, database, operator, accountId, session },
    async make(kind, sample = '') {
      made += 1;
      const maker = makers[kind];
      assert.ok(maker, `test/api/native/world.ts can't make anything of kind ${kind} yet`);
      return maker(sample);
    },
    async makeAddress() {
      const path = `${base}/instances/${await world.make('instance')}/addresses`;
      const { body } = await berth.call<{ items: { address: string }[] }>('POST', path, {});
      return body.items[0]?.address ?? '';
    },
    async addKey({ accountId: of = accountId, scope, expiresAt, revokedAt } = {}) {
      const secret = `berth_${randomUUID()}`;
      await database
        .insertInto('api_key')
        .values({
          ...{ id: randomUUID(), account_id: of, name: 'test', created_at: new Date(), secret_sha256: sha256(secret) },
          ...{
            revoked_at: revokedAt ?? null,
            ...(scope ? { scope } : {}),
            ...(expiresAt ? { expires_at: expiresAt } : {}),
          },
        })
        .execute();
      return secret;
    },
    async addStranger() {
      const id = randomUUID();
      await database
        .insertInto('account')
        .values({ id, name: `stranger-${id.slice(0, 8)}`, created_at: new Date() })
        .execute();
      return { accountId: id, key: await world.addKey({ accountId: id }) };
    },
    async close() {
      await database.destroy();
      await berth.close();
    },
  };
  return world;
}

/** Something on a host that nobody owns. @returns its id */
async function makeOrphan(database: Database, host: string, number: number): Promise<string> {
  const id = `0x${number.toString(16).padStart(40, '0')}`;
  const size = { vcpus: 1, memory_mib: 1024, disk_gib: 5 };
  await database
    .insertInto('orphan')
    .values({
      ...{ instance_id: id, host_id: parseId('host', host) ?? '', state: 'running', ip: null },
      ...{ ...size, seen_at: new Date() },
    })
    .execute();
  return toId('instance', id);
}

/** What is everybody's to see. */
const everybodys: ReadonlySet<IdKind | null> = new Set(['datacenter', 'image', 'slot']);

/** Whether an example names something that belongs to an account. */
export function namesOwned({ example }: Operation): boolean {
  const text = JSON.stringify(example);
  const samples = [...text.matchAll(/"([a-z]+_[0-9a-f]+)"/g)].map(([, sample = '']) => sample);
  if (samples.includes(sampleOwnImage)) return true;
  return (
    samples.map(kindOfSample).some((kind) => kind && !everybodys.has(kind)) || text.includes('"account":"default"')
  );
}

/** The example of an operation, with things of this world in the place of its sample ids. */
export async function exampleIn(world: World, { id, example }: Operation): Promise<Operation['example']> {
  const ids = new Map<string, string>();
  const text = JSON.stringify(example);
  for (const [, sample = ''] of text.matchAll(/"([a-z]+_[0-9a-f]+)"/g)) {
    const kind = kindOfSample(sample);
    if (kind && !ids.has(sample)) ids.set(sample, await world.make(kind, sample));
  }
  if (text.includes(`"${sampleAddress}"`)) ids.set(sampleAddress, await world.makeAddress());
  const filled = JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'string' ? (ids.get(value) ?? value) : value,
  ) as Operation['example'];
  await preparations[id]?.(world, filled.params.instance ?? '');
  return filled;
}

/** Acts that are for instances in a state which none is made in. */
const preparations: Record<string, (world: World, instance: string) => Promise<void>> = {
  undeleteInstance: async ({ berth, operator }, instance) => {
    const answer = await callApi(berth.url, operator, 'DELETE', `${base}/instances/${instance}`);
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
  },
};

/** A request that goes well: the example of an operation, and a key of somebody for whom it is. */
export async function rightRequest(
  world: World,
  operation: Operation,
): Promise<{ key: string | null; example: Operation['example'] }> {
  const { id, isPublic, isForOperators, isForUsers } = operation;
  const example = await exampleIn(world, operation);
  if (id === 'confirmSecondFactor' || id === 'removeSecondFactor') return withSecondFactor(world, id);
  if (id === 'deleteAccount') {
    const { accountId } = await world.addStranger();
    return { key: world.operator, example: { ...example, params: { account: toId('account', accountId) } } };
  }
  if (isPublic) return { key: null, example };
  if (isForOperators) return { key: world.operator, example };
  return { key: isForUsers ? await world.session() : world.berth.apiKey, example };
}

/** What needs a code of a second factor: no example can have one that holds. */
async function withSecondFactor({ berth }: World, id: string): Promise<{ key: string; example: Operation['example'] }> {
  const user = await addUser(berth, 'default');
  const key = await tokenOf(berth, user);
  const path = `${base}/users/me/second-factor`;
  const begun = await callApi<{ secret: string }>(berth.url, key, 'POST', path, { currentPassword: user.password });
  const { secret } = begun.body;
  const example = { params: { user: 'me' }, query: {}, body: { code: totpCode(secret, new Date()) } };
  if (id === 'confirmSecondFactor') return { key, example };
  assert.equal((await callApi(berth.url, key, 'PUT', path, example.body)).status, 200);
  // Each code is taken once; the next one holds already.
  const next = totpCode(secret, new Date(Date.now() + 30_000));
  return { key, example: { ...example, body: { code: next } } };
}

/** Sends an operation. Of an answer that does not end, the beginning is read, and no body is told. */
export function send(
  { berth }: World,
  key: string | null,
  { method, path, streams }: Operation,
  { params, query, body }: Operation['example'],
  headers: Record<string, string> = {},
): Promise<Answer> {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const filled = path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(params[name] ?? ''));
  const url = `${filled}${search.size > 0 ? `?${search}` : ''}`;
  return streams === null ? callApi(berth.url, key, method, url, body, headers) : beginningOf(berth.url + url, key);
}

async function beginningOf(url: string, key: string | null): Promise<Answer> {
  const left = new AbortController();
  const headers = { ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  const response = await fetch(url, { headers, signal: left.signal });
  const { status } = response;
  const body = response.ok ? null : await response.json();
  if (response.ok) await response.body?.getReader().read();
  left.abort();
  return { status, body, headers: response.headers };
}
