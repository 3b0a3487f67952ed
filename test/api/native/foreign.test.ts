// What belongs to another account can be named in a body or a filter, beside something of one's own: it is not there then, for an
// account's key and for a user alike, and nothing is left behind.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseId, sampleOwnImage, samplesOff, toId } from '../../../src/api/native/id.ts';
import { callApi } from '../../support/berth.ts';
import { addUser, tokenOf } from '../bytemark/identity.ts';
import { holdings, keys } from '../support.ts';
import { startWorld } from './world.ts';

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());

interface Things {
  account: string;
  instance: string;
  off: string;
  disk: string;
  group: string;
  image: string;
  slug: string;
  sshKey: string;
  quote: string;
  webhook: string;
  delivery: string;
  deployment: string;
  backup: string;
  apiKey: string;
  user: string;
  address: string;
}

const operate = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
  const answer = await callApi<Body>(berth.url, world.operator, method, `/berth/v1${path}`, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};

/** One thing of each kind, of the first account. */
async function makeThings(): Promise<Things> {
  const instance = await world.make('instance');
  const { image } = await database
    .selectFrom('instance')
    .select('image_url as image')
    .limit(1)
    .executeTakeFirstOrThrow();
  assert.ok(image);
  const own = await world.make('image', sampleOwnImage);
  const { items } = await operate<{ items: { id: string }[] }>('GET', `/disks?instance=${instance}`);
  const webhook = await world.make('webhook');
  const slug = (await operate<{ slug: string }>('GET', `/images/${own}`)).slug;
  await database.updateTable('own_image').set({ state: 'ready', check_at: null }).execute();
  return {
    ...{ account: toId('account', world.accountId), instance, off: await world.make('instance', samplesOff[0]) },
    ...{ disk: items[0]?.id ?? '', group: await world.make('group'), image: own, slug },
    ...{ sshKey: await world.make('sshKey'), quote: await world.make('quote'), webhook },
    ...{ delivery: await world.make('delivery'), deployment: await world.make('deployment') },
    ...{ backup: await world.make('backup'), apiKey: await world.make('apiKey'), user: await world.make('user') },
    address: await world.makeAddress(),
  };
}

let theirs: Things;
/** Of the account that asks. */
let own: { account: string; instance: string; off: string; disk: string; webhook: string };
/** Its key, and somebody who runs it. */
let callers: Record<string, string>;

before(async () => {
  theirs = await makeThings();
  const { id: account } = await operate<{ id: string }>('POST', '/accounts', { name: 'stranger' });
  await operate('POST', `/accounts/${account}/credits`, { amount: '1000', reason: 'a test' });
  const key = await world.addKey({ accountId: parseId('account', account) ?? '' });
  callers = { 'with a key': key, 'as a user': await tokenOf(berth, await addUser(berth, 'stranger')) };
  const make = async (power: 'on' | 'off') => {
    const body = {
      name: `own-${power}`,
      image: 'micro',
      vcpus: 1,
      memoryMib: 1024,
      diskGib: 5,
      power,
      sshKeys: [keys.ed25519],
    };
    const made = await callApi<{ id: string }>(berth.url, key, 'POST', '/berth/v1/instances', body);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return made.body.id;
  };
  const [on, off] = [await make('on'), await make('off')];
  const disk = await callApi<{ id: string }>(berth.url, key, 'POST', `/berth/v1/instances/${off}/disks`, {
    sizeMib: 1024,
  });
  assert.equal(disk.status, 201, JSON.stringify(disk.body));
  const hook = { url: 'https://hooks.example.com/own', kinds: ['*'] };
  const webhook = await callApi<{ id: string }>(berth.url, key, 'POST', '/berth/v1/webhooks', hook);
  own = { account, instance: on, off, disk: disk.body.id, webhook: webhook.body.id };
});

const size = { vcpus: 1, memoryMib: 1024, diskGib: 5 };
const vm = (more: object) => ({ name: 'mixed', image: 'micro', ...size, sshKeys: [keys.ed25519], ...more });

/** Requests that name something of the first account's beside what is one's own. */
const requests = (): [method: string, path: string, body?: object][] => [
  ...['/instances', '/estimates', '/deployments'].flatMap((path): [string, string, object][] => [
    ['POST', path, vm({ account: own.account, group: theirs.group })],
    ['POST', path, vm({ group: theirs.group })],
    ['POST', path, vm({ account: theirs.account })],
    ['POST', path, vm({ account: 'default' })],
    ['POST', path, vm({ image: theirs.slug })],
    ['POST', path, vm({ image: theirs.image })],
    ['POST', path, vm({ sshKeys: [theirs.sshKey] })],
    ...(path === '/estimates' ? [] : [['POST', path, vm({ quote: theirs.quote })] as [string, string, object]]),
  ]),
  ['POST', '/quotes', { account: theirs.account, ...size }],
  ['POST', `/disks/${own.disk}/move`, { instance: theirs.off }],
  ['POST', `/disks/${theirs.disk}/move`, { instance: own.off }],
  ['POST', `/instances/${own.off}/swap-addresses`, { instance: theirs.off }],
  ['POST', `/instances/${theirs.off}/swap-addresses`, { instance: own.off }],
  ['PATCH', `/instances/${own.instance}`, { group: theirs.group }],
  ['POST', `/instances/${own.off}/reimage`, { image: theirs.slug }],
  ['POST', `/instances/${own.off}/reimage`, { image: theirs.image }],
  ['POST', `/backups/${theirs.backup}/restore`],
  ['POST', `/webhooks/${own.webhook}/deliveries/${theirs.delivery}/resend`],
  ['POST', `/webhooks/${theirs.webhook}/deliveries/${theirs.delivery}/resend`],
  ['POST', '/webhooks', { account: theirs.account, url: 'https://hooks.example.com/x', kinds: ['*'] }],
  ['POST', '/groups', { account: theirs.account, name: 'planted' }],
  [
    'POST',
    '/images',
    { account: 'default', name: 'planted', url: 'https://images.example.com/a.raw', sha256: 'a'.repeat(64) },
  ],
  ['POST', '/ssh-keys', { account: theirs.account, name: 'planted', publicKey: keys.ed25519 }],
  ['POST', '/api-keys', { account: theirs.account, name: 'planted' }],
  ['POST', '/api-keys', { name: 'planted', privileges: [{ level: 'group_admin', group: theirs.group }] }],
  ['POST', '/privileges', { user: theirs.user, level: 'account_admin', account: theirs.account }],
  ['POST', '/privileges', { user: theirs.user, level: 'group_admin', group: theirs.group }],
  ['POST', '/privileges', { user: theirs.user, level: 'vm_admin', instance: theirs.instance }],
  ['POST', '/privileges', { user: 'ann', level: 'vm_console', instance: own.instance, apiKey: theirs.apiKey }],
  ['POST', '/users', { username: 'planted', privileges: [{ level: 'group_admin', group: theirs.group }] }],
  ['GET', `/api-keys?user=${theirs.user}`],
  ...[
    ...[
      'instances',
      'disks',
      'deployments',
      'backups',
      'backup-schedules',
      'quotes',
      'webhooks',
      'api-keys',
      'ssh-keys',
    ],
    ...[
      'groups',
      'operations',
      'events',
      'addresses',
      'images',
      'instance-counts',
      'users',
      'privileges',
      'events/stream',
    ],
  ].flatMap((list): [string, string][] => [
    ['GET', `/${list}?account=${theirs.account}`],
    ['GET', `/${list}?account=default`],
  ]),
];

/** Filters that name something of the first account's: an empty page, or that it is not there. */
const filters = (): string[] => [
  `/instances?group=${theirs.group}`,
  `/instances?deployment=${theirs.deployment}`,
  `/instances?search=${theirs.instance}`,
  `/instances?name=vm-1`,
  `/instances?account=${own.account}&group=${theirs.group}`,
  `/disks?instance=${theirs.instance}`,
  `/backups?disk=${theirs.disk}`,
  `/backups?instance=${theirs.instance}`,
  `/backup-schedules?disk=${theirs.disk}`,
  `/operations?instance=${theirs.instance}`,
  `/events?instance=${theirs.instance}`,
  `/addresses?instance=${theirs.instance}`,
  `/privileges?user=${theirs.user}`,
  `/privileges?instance=${theirs.instance}`,
  `/privileges?group=${theirs.group}`,
  '/users?username=ann',
  `/accounts/${own.account}/transactions?instance=${theirs.instance}`,
  `/events?cursor=1-1&account=${own.account}`,
  '/images',
  '/groups',
  '/users',
  '/privileges',
  '/accounts',
];

test('what is another account’s is not there, whatever of one’s own stands beside it', async () => {
  const held = await holdings(database);
  for (const [who, key] of Object.entries(callers)) {
    for (const [method, path, body] of requests()) {
      const { status, body: answer } = await callApi(berth.url, key, method, `/berth/v1${path}`, body);
      const shown = `${who}: ${method} ${path} ${JSON.stringify(body)} ${status} ${JSON.stringify(answer)}`;
      assert.ok([403, 404, 422].includes(status), shown);
      assert.deepEqual(await holdings(database), held, shown);
    }
  }
});

test('no filter opens another account’s', async () => {
  const secrets = Object.values(theirs).filter((one) => one !== '');
  for (const [who, key] of Object.entries(callers)) {
    for (const path of filters()) {
      const { status, body } = await callApi(berth.url, key, 'GET', `/berth/v1${path}`);
      const shown = `${who}: ${path} ${status} ${JSON.stringify(body)}`;
      assert.ok([200, 403, 404, 422].includes(status), shown);
      if (status === 200)
        for (const one of secrets) assert.ok(!JSON.stringify(body).includes(one), `${one} in ${shown}`);
    }
  }
});
