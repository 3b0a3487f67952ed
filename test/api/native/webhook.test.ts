// Webhooks by kinds of events: what is told to whom, in which form, and what becomes of it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, test } from 'node:test';
import { inTransaction } from '../../../src/store/database.ts';
import { insertEvents, type NewEvent } from '../../../src/store/event.ts';
import { callApi, startTestBerth, until } from '../../support/berth.ts';
import { Receiver, signatureOf } from '../../webhook/support.ts';
import { openStore } from '../support.ts';

const receiver = await Receiver.start();
const berth = await startTestBerth({ allowCallbackHosts: [`127.0.0.1:${receiver.port}`] });
const database = await openStore(berth);
const accountId = (await database.selectFrom('account').select('id').executeTakeFirstOrThrow()).id;
after(async () => {
  await database.destroy();
  await berth.close();
  receiver.close();
});
afterEach(async () => {
  receiver.answer = () => 204;
  const { body } = await call<{ items: Webhook[] }>('GET', '/webhooks?limit=200');
  for (const { id } of body.items) await call('DELETE', `/webhooks/${id}`);
});

interface Webhook {
  id: string;
  url: string;
  kinds: string[];
  format: string;
  enabled: boolean;
  secret?: string | null;
}
interface Delivery {
  id: string;
  state: string;
  attempts: number;
  lastError: string | null;
  event: { kind: string; message: string; cursor: string } | null;
}
interface Problem {
  code: string;
  pointer?: string;
  parameter?: string;
}

const call = <Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  berth.call<Body>(method, `/berth/v1${path}`, body, headers);
let paths = 0;
const newPath = () => {
  paths += 1;
  return `/hook-${paths}`;
};
async function make(kinds: string[], more: object = {}): Promise<Webhook & { path: string }> {
  const path = newPath();
  const answer = await call<Webhook>('POST', '/webhooks', { url: receiver.url(path), kinds, ...more });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('location'), `/berth/v1/webhooks/${answer.body.id}`);
  return { ...answer.body, path };
}
const tell = (message: string, more: Partial<NewEvent> = {}) =>
  inTransaction(database, (tx) =>
    insertEvents(tx, [
      {
        ...{ accountId, instanceId: null, hostId: null, kind: 'test.thing', message, actor: 'test' },
        ...{ createdAt: new Date(), ...more },
      },
    ]),
  );
const receivedAt = (path: string) => receiver.received.filter((one) => one.path === path);
const told = (path: string) =>
  receivedAt(path).map(({ text }) => (JSON.parse(text) as { event: { message: string } }).event.message);
const untilTold = (path: string, count: number) =>
  until(`${count} deliveries at ${path}`, async () => receivedAt(path).length >= count);
const deliveriesOf = async ({ id }: { id: string }, query = '') =>
  (await call<{ items: Delivery[]; nextCursor: string | null }>('GET', `/webhooks/${id}/deliveries${query}`)).body;

test('an event is told as the feed has it, signed with the secret that was shown once', async () => {
  const webhook = await make(['test']);
  assert.match(webhook.secret ?? '', /^whsec_/);
  assert.deepEqual([webhook.kinds, webhook.format, webhook.enabled], [['test'], 'event', true]);
  const shown = await call<Webhook>('GET', `/webhooks/${webhook.id}`);
  assert.ok(!('secret' in shown.body));
  await tell('hello', { data: { a: 1 } });
  await untilTold(webhook.path, 1);
  const [one] = receivedAt(webhook.path);
  assert.equal(one?.headers['x-webhook-signature'], signatureOf(one?.text ?? '', webhook.secret ?? ''));
  const body = JSON.parse(one?.text ?? '') as { id: string; webhook: string; event: { cursor: string } };
  const feed = await call<{ items: { cursor: string }[] }>('GET', '/events?limit=1000');
  assert.deepEqual(
    body.event,
    feed.body.items.find(({ cursor }) => cursor === body.event.cursor),
  );
  assert.equal(body.webhook, webhook.id);
  const untilNoted = async () => (await deliveriesOf(webhook)).items[0]?.state === 'delivered';
  await until('it is noted', untilNoted);
  const [delivery] = (await deliveriesOf(webhook)).items;
  assert.deepEqual([delivery?.id, delivery?.attempts, delivery?.event], [body.id, 1, body.event]);
});

test('of an account’s events those of the kinds are told, and no other account’s', async () => {
  const other = randomUUID();
  await database
    .insertInto('account')
    .values({ id: other, name: `other-${paths}`, created_at: new Date() })
    .execute();
  const some = await make(['shape.round', 'colour']);
  const all = await make(['*'], { secret: 'mine' });
  assert.equal(all.secret, null);
  await tell('1', { kind: 'shape.rounder' });
  await tell('2', { kind: 'shape.round.ball' });
  await tell('3', { kind: 'shape' });
  await tell('4', { kind: 'colour' });
  await tell('theirs', { kind: 'colour', accountId: other });
  await tell('nobody’s', { kind: 'colour', accountId: null });
  await tell('5', { kind: 'colour.red' });
  await untilTold(some.path, 3);
  await until('all was told', async () => told(all.path).includes('5'));
  assert.deepEqual(told(some.path), ['2', '4', '5']);
  // The first is that of its own registration.
  assert.deepEqual(told(all.path).slice(1), ['1', '2', '3', '4', '5']);
  assert.equal(
    receivedAt(all.path)[1]?.headers['x-webhook-signature'],
    signatureOf(receivedAt(all.path)[1]?.text ?? '', 'mine'),
  );
});

test('events of one instance come in order; those of another do not wait for them', async () => {
  const webhook = await make(['turn']);
  const [slow, quick] = [`0x${'1'.repeat(40)}`, `0x${'2'.repeat(40)}`];
  let isBroken = true;
  receiver.answer = ({ text }) => (isBroken && text.includes('1111') ? 503 : 204);
  await tell('slow 1', { kind: 'turn', instanceId: slow });
  await tell('slow 2', { kind: 'turn', instanceId: slow });
  await tell('quick', { kind: 'turn', instanceId: quick });
  await until('the other is told', async () => told(webhook.path).includes('quick'));
  assert.ok(!told(webhook.path).includes('slow 2'));
  const pending = await deliveriesOf(webhook, '?state=pending');
  assert.deepEqual(
    pending.items.map(({ event }) => event?.message),
    ['slow 2', 'slow 1'],
  );
  isBroken = false;
  await until('the rest is told', async () => told(webhook.path).includes('slow 2'));
});

test('deliveries come in pages, by their state, and are made again on demand', async () => {
  const webhook = await make(['page']);
  // With the space: ids are hexadecimal, and may well be bad.
  receiver.answer = ({ text }) => (text.includes('bad ') ? 400 : 204);
  for (const message of ['good 1', 'bad 1', 'good 2', 'bad 2', 'good 3']) await tell(message, { kind: 'page' });
  await until('all are over', async () => (await deliveriesOf(webhook, '?state=pending')).items.length === 0);
  const messages = ({ items }: { items: Delivery[] }) => items.map(({ event }) => event?.message);
  const first = await deliveriesOf(webhook, '?limit=2');
  const second = await deliveriesOf(webhook, `?limit=2&cursor=${first.nextCursor}`);
  const third = await deliveriesOf(webhook, `?limit=2&cursor=${second.nextCursor}`);
  assert.deepEqual([first, second, third].map(messages), [['good 3', 'bad 2'], ['good 2', 'bad 1'], ['good 1']]);
  assert.equal(third.nextCursor, null);
  const dead = await deliveriesOf(webhook, '?state=dead');
  assert.deepEqual(messages(dead), ['bad 2', 'bad 1']);
  assert.match(dead.items[0]?.lastError ?? '', /400/);
  receiver.answer = () => 204;
  const again = await call<Delivery>('POST', `/webhooks/${webhook.id}/deliveries/${dead.items[1]?.id}/resend`);
  assert.deepEqual([again.status, again.body.state, again.body.id], [200, 'pending', dead.items[1]?.id]);
  await until('it was taken', async () => (await deliveriesOf(webhook, '?state=dead')).items.length === 1);
  const cursor = Buffer.from('["x"]').toString('base64url');
  for (const [path, status] of [
    [`/webhooks/${webhook.id}/deliveries?cursor=${cursor}`, 422],
    [`/webhooks/${webhook.id}/deliveries?state=lost`, 400],
    [`/webhooks/whk_${'0'.repeat(32)}/deliveries`, 404],
    ['/webhooks/whk_1/deliveries', 404],
  ] as const) {
    assert.equal((await call('GET', path)).status, status, path);
  }
  for (const id of [`dlv_${'0'.repeat(32)}`, 'dlv_1']) {
    assert.equal((await call('POST', `/webhooks/${webhook.id}/deliveries/${id}/resend`)).status, 404);
  }
});

test('a webhook is changed, switched off and on; what was pending goes on, what happened meanwhile does not', async () => {
  const webhook = await make(['switch']);
  const path = `/webhooks/${webhook.id}`;
  receiver.answer = () => 503;
  await tell('pending', { kind: 'switch' });
  await untilTold(webhook.path, 1);
  const off = await call<Webhook>('PATCH', path, { enabled: false });
  assert.deepEqual([off.status, off.body.enabled], [200, false]);
  await tell('meanwhile', { kind: 'switch' });
  const [pending] = (await deliveriesOf(webhook, '?state=pending')).items;
  const resent = await call<Problem>('POST', `${path}/deliveries/${pending?.id}/resend`);
  assert.deepEqual([resent.status, resent.body.code], [409, 'wrong_state']);
  receiver.answer = () => 204;
  const elsewhere = newPath();
  const moved = await call<Webhook>('PATCH', path, { url: receiver.url(elsewhere), kinds: ['other', 'switch'] });
  assert.deepEqual([moved.body.enabled, moved.body.kinds], [false, ['other', 'switch']]);
  assert.deepEqual(receivedAt(elsewhere), []);
  assert.equal((await call<Webhook>('PATCH', path, { enabled: true })).body.enabled, true);
  await untilTold(elsewhere, 1);
  await tell('after', { kind: 'other' });
  await untilTold(elsewhere, 2);
  assert.deepEqual(told(elsewhere), ['pending', 'after']);
  assert.equal((await call<Webhook>('PATCH', path, {})).status, 200);
  const kinds = (await call<{ items: { kind: string }[] }>('GET', '/events?limit=1000')).body.items.map(
    ({ kind }) => kind,
  );
  assert.ok(kinds.includes('webhook.changed'));
});

test('a change is held against what its sender has seen, and a dry run tells nobody', async () => {
  const { id } = await make(['*']);
  const seen = (await call('GET', `/webhooks/${id}`)).headers.get('etag') ?? '';
  assert.equal((await call('PATCH', `/webhooks/${id}`, { kinds: ['a'] }, { 'if-match': seen })).status, 200);
  assert.equal((await call('PATCH', `/webhooks/${id}`, { kinds: ['b'] }, { 'if-match': seen })).status, 412);
  const path = newPath();
  const dry = await call<Webhook>('POST', '/webhooks?dryRun=true', { url: receiver.url(path), kinds: ['*'] });
  assert.equal(dry.status, 201);
  assert.equal((await call('GET', `/webhooks/${dry.body.id}`)).status, 404);
  assert.deepEqual(receivedAt(path), []);
});

test('a webhook that was made under a key is made once, and its secret shown again to the same request', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const body = { url: receiver.url(newPath()), kinds: ['once'] };
  const [first, again] = [
    await call<Webhook>('POST', '/webhooks', body, headers),
    await call<Webhook>('POST', '/webhooks', body, headers),
  ];
  assert.deepEqual(again.body, first.body);
  assert.equal((await call<{ items: Webhook[] }>('GET', '/webhooks')).body.items.length, 1);
});

test('what can’t be told is refused, and nothing is left behind', async () => {
  const url = receiver.url('/x');
  for (const [body, status, pointer] of [
    [{ url: 'nowhere', kinds: ['a'] }, 422, '#/url'],
    [{ url: 'http://127.0.0.1:1/', kinds: ['a'] }, 422, '#/url'],
    [{ url: 'https://user:pw@example.com/', kinds: ['a'] }, 422, '#/url'],
    [{ url, kinds: [] }, 422, '#/kinds'],
    [{ url, kinds: ['a', 'B'] }, 422, '#/kinds/1'],
    [{ url, kinds: ['a.*'] }, 422, '#/kinds/0'],
    [{ url, kinds: Array.from({ length: 21 }, (_, number) => `k${number}`) }, 400, '#/kinds'],
    [{ url, kinds: ['a'], secret: '' }, 422, '#/secret'],
    [{ kinds: ['a'] }, 400, '#/url'],
    [{ url }, 400, '#/kinds'],
  ] as const) {
    const { status: got, body: problem } = await call<Problem>('POST', '/webhooks', body);
    assert.deepEqual([got, problem.pointer], [status, pointer], JSON.stringify(problem));
  }
  assert.deepEqual((await call<{ items: Webhook[] }>('GET', '/webhooks')).body.items, []);
  const { id } = await make(['a']);
  assert.equal((await call('PATCH', `/webhooks/${id}`, { kinds: ['A'] })).status, 422);
  assert.equal((await call('PATCH', `/webhooks/${id}`, { url: 'ftp://example.com' })).status, 422);
  assert.equal((await call<Webhook>('GET', `/webhooks/${id}`)).body.kinds[0], 'a');
});

test('an account has 100 webhooks at most', async () => {
  const body = { url: receiver.url('/many'), kinds: ['never'] };
  for (let number = 0; number < 100; number += 1) assert.equal((await call('POST', '/webhooks', body)).status, 201);
  const refused = await call<Problem>('POST', '/webhooks', body);
  assert.deepEqual([refused.status, refused.body.code], [422, 'invalid_value']);
});

test('webhooks of the other API are shown as what they are, and it does not see these', async () => {
  const made = await make(['a']);
  const body = { event_type: 'EVENT_TYPE_DEPLOYMENT_UPDATED', callback_url: receiver.url('/typed') };
  const { id } = (await berth.call<{ id: string }>('POST', '/vendors/v1/webhooks', body)).body;
  const list = (await call<{ items: Webhook[] }>('GET', '/webhooks')).body.items;
  assert.deepEqual(
    list.map(({ kinds, format }) => [kinds, format]),
    [
      [['a'], 'event'],
      [['deployment.updated'], 'hiveon'],
    ],
  );
  const typed = list[1]?.id ?? '';
  const change = await call<Problem>('PATCH', `/webhooks/${typed}`, { kinds: ['a'] });
  assert.deepEqual([change.status, change.body.pointer], [422, '#/kinds']);
  const theirs = await berth.call<{ webhooks: { id: string }[] }>('GET', '/vendors/v1/webhooks');
  assert.deepEqual(
    theirs.body.webhooks.map((webhook) => webhook.id),
    [id],
  );
  const uuid = made.id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  assert.equal((await berth.call('GET', `/vendors/v1/webhooks/${uuid}`)).status, 404);
  assert.equal((await call('DELETE', `/webhooks/${typed}`)).status, 204);
});

test('a read-only key sees webhooks and changes none', async () => {
  const { sha256 } = await import('../../../src/app/authenticate.ts');
  const key = `berth_${randomUUID()}`;
  await database
    .insertInto('api_key')
    .values({
      ...{ id: randomUUID(), account_id: accountId, name: 'reader', created_at: new Date(), scope: 'read-only' },
      ...{ secret_sha256: sha256(key), revoked_at: null },
    })
    .execute();
  const { id } = await make(['a']);
  assert.equal((await callApi(berth.url, key, 'GET', `/berth/v1/webhooks/${id}`)).status, 200);
  assert.equal((await callApi(berth.url, key, 'DELETE', `/berth/v1/webhooks/${id}`)).status, 403);
});
