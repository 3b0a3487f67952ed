// The calls of webhooks on a whole Berth: registering, what is refused, what is shown, and a deployment told of from start to
// stop by a server that is woken when it happens.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { webhooksMax } from '../../src/model/webhook.ts';
import type { Database } from '../../src/store/database.ts';
import { assertRefused, call, letSlots, startBody, started, stopped, untilStatus } from '../api/hiveon/support.ts';
import { openStore } from '../api/support.ts';
import { startTestBerth, type TestBerth, until } from '../support/berth.ts';
import { Receiver, secret, signatureOf } from './support.ts';

const deploymentTypes = ['CREATED', 'UPDATED', 'STOPPED'].map((what) => `EVENT_TYPE_DEPLOYMENT_${what}`);

let berth: TestBerth;
let database: Database;
let receiver: Receiver;
before(async () => {
  receiver = await Receiver.start();
  berth = await startTestBerth({ addressPool: '127.55.4.0/24', allowCallbackHosts: [`127.0.0.1:${receiver.port}`] });
  database = await openStore(berth);
});
after(async () => {
  await database.destroy();
  await berth.close();
  receiver.close();
});

interface Delivery {
  delivery_id: string;
  subject_id: string;
  state: string;
  attempts: number;
  last_error: string | null;
  ended_at: string | null;
}

const register = (body: Record<string, unknown>) =>
  call<{ id: string; secret?: string }>(berth, 'POST', '/webhooks', {
    event_type: 'EVENT_TYPE_DEPLOYMENT_UPDATED',
    callback_url: receiver.url(),
    ...body,
  });
const deliveriesOf = async (id: string, query = '') =>
  (await call<{ deliveries: Delivery[] }>(berth, 'GET', `/webhooks/${id}/deliveries${query}`)).body.deliveries;
const remove = (id: string) => call<object>(berth, 'DELETE', `/webhooks/${id}`);

test('a webhook is registered, listed, read and deleted, and its secret is nowhere to be seen', async () => {
  const given = await register({ secret });
  assert.equal(given.status, 200);
  assert.deepEqual(Object.keys(given.body), ['id'], 'one’s own secret is not repeated');
  const made = await register({ event_type: 'EVENT_TYPE_MACHINE_CREATED', secret: null });
  assert.match(made.body.secret ?? '', /^whsec_[\w-]{43}$/);

  const { body } = await call<{ webhooks: Record<string, string>[] }>(berth, 'GET', '/webhooks');
  const shown = body.webhooks.map(({ created_at: createdAt, ...rest }) => {
    assert.ok(new Date(createdAt ?? '') <= new Date());
    return rest;
  });
  assert.deepEqual(shown, [
    { id: given.body.id, event_type: 'EVENT_TYPE_DEPLOYMENT_UPDATED', callback_url: receiver.url() },
    { id: made.body.id, event_type: 'EVENT_TYPE_MACHINE_CREATED', callback_url: receiver.url() },
  ]);
  assert.deepEqual((await call(berth, 'GET', `/webhooks/${made.body.id}`)).body, body.webhooks[1]);

  const { rows } = await sql<{ text: string }>`select webhook::text as text from webhook
    union all select event::text from event where kind like 'webhook.%'`.execute(database);
  assert.equal(rows.length, 4);
  const places = [berth.log(), JSON.stringify(body), ...rows.map(({ text }) => text)];
  for (const one of [secret, made.body.secret ?? '']) {
    const forms = [one, Buffer.from(one).toString('hex'), Buffer.from(one).toString('base64')];
    assert.ok(!places.some((place) => forms.some((form) => place.includes(form))));
  }

  for (const id of [given.body.id, made.body.id]) {
    assert.deepEqual(await remove(id).then(({ status, body: answer }) => [status, answer]), [200, {}]);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/deliveries/11111111-1111-4111-8111-111111111111/resend'],
    ] as const) {
      assertRefused(await call(berth, method, `/webhooks/${id}${path}`), 404, 5, 'There is no webhook');
    }
  }
  assert.deepEqual((await call(berth, 'GET', '/webhooks')).body, { webhooks: [] });
});

test('what can’t be a webhook is refused with the field that is wrong, and nothing is kept', async () => {
  const refusals: [body: Record<string, unknown>, field: string][] = [
    [{ event_type: '' }, 'event_type'],
    [{ event_type: 'EVENT_TYPE_UNSPECIFIED' }, 'event_type'],
    [{ event_type: 'machine_created' }, 'event_type'],
    [{ event_type: null }, 'event_type'],
    [{ callback_url: '' }, 'callback_url'],
    [{ callback_url: 'hooks' }, 'callback_url'],
    [{ callback_url: 'ftp://hooks.example/' }, 'callback_url'],
    [{ callback_url: 'https://user:password@hooks.example/' }, 'callback_url'],
    [{ callback_url: `https://hooks.example/${'a'.repeat(2048)}` }, 'callback_url'],
    [{ callback_url: `https://hooks.example/${'ä'.repeat(500)}` }, 'callback_url'],
    [{ callback_url: 'http://127.0.0.1/' }, 'callback_url'],
    [{ callback_url: `http://127.0.0.1:${receiver.port + 1}/` }, 'callback_url'],
    [{ callback_url: 'http://2130706433/' }, 'callback_url'],
    [{ callback_url: 'http://localhost/' }, 'callback_url'],
    [{ callback_url: 'http://metadata.localhost./' }, 'callback_url'],
    [{ callback_url: 'http://[::1]/' }, 'callback_url'],
    [{ callback_url: 'http://[::ffff:10.0.0.1]/' }, 'callback_url'],
    [{ callback_url: 'http://169.254.169.254/latest' }, 'callback_url'],
    [{ secret: '' }, 'secret'],
    [{ secret: 's'.repeat(256) }, 'secret'],
  ];
  for (const [body, field] of refusals) {
    const answer = await register(body);
    const { details, message } = assertRefused(answer, 400, 3);
    assert.equal(details[0]?.fieldViolations?.[0]?.field, field, JSON.stringify(answer.body));
    assert.ok(!/password@|sss/.test(message), message);
  }
  assert.deepEqual((await call(berth, 'GET', '/webhooks')).body, { webhooks: [] });
});

test(`an account has ${webhooksMax} webhooks at most, also when it registers many at once`, async () => {
  const answers = await Promise.all(Array.from({ length: webhooksMax + 5 }, () => register({})));
  const ids = answers.flatMap(({ status, body }) => (status === 200 ? [body.id] : []));
  assert.equal(ids.length, webhooksMax);
  for (const answer of answers.filter(({ status }) => status !== 200))
    assertRefused(answer, 400, 3, 'delete one first');
  await Promise.all(ids.map(remove));
  const one = await register({});
  assert.equal(one.status, 200);
  await remove(one.body.id);
});

test('a deployment is told of as it happens; what was refused is listed as dead and sent again on request', async () => {
  const hooks = await Promise.all(deploymentTypes.map((type) => register({ event_type: type, secret })));
  const ids = hooks.map(({ body }) => body.id);
  receiver.answer = ({ body }) => (body.event_type === 'EVENT_TYPE_DEPLOYMENT_STOPPED' ? 410 : 200);
  const [machine] = await letSlots(berth, 1);
  assert.ok(machine);
  const deployment = await started(
    berth,
    startBody(machine, {}, { external_deployment_id: 'mine', metadata: { a: 'b' } }),
  );
  await untilStatus(berth, deployment, 'STATUS_RUNNING');
  await stopped(berth, deployment);
  await until('all was told', async () => receiver.about(deployment).length >= 4);
  const last = receiver.about(deployment).find(({ body }) => body.event_type === 'EVENT_TYPE_DEPLOYMENT_STOPPED');
  const read = await call<Record<string, unknown>>(berth, 'GET', `/machines/deployments/${deployment}`);
  assert.deepEqual(last?.body.data, read.body, 'the same object as the API shows');
  for (const { text, headers } of receiver.about(deployment)) {
    assert.equal(headers['x-webhook-signature'], signatureOf(text));
  }

  const [, , stop = ''] = ids;
  await until('it is given up', async () => (await deliveriesOf(stop, '?state=dead')).length === 1);
  const [dead] = await deliveriesOf(stop);
  assert.deepEqual(dead, {
    ...{ delivery_id: last?.body.event_id, subject_id: deployment, state: 'dead', attempts: 1 },
    last_error: 'The receiver answered 410.',
    ...{ created_at: last?.body.timestamp, ended_at: dead?.ended_at },
  });
  assert.deepEqual(await deliveriesOf(stop, '?state=delivered'), []);
  receiver.answer = () => 200;
  const resend = `/webhooks/${stop}/deliveries/${dead?.delivery_id}/resend`;
  const again = await call<Delivery>(berth, 'POST', resend);
  assert.deepEqual([again.status, again.body.state, again.body.ended_at], [200, 'pending', null]);
  await until('it is delivered', async () => (await deliveriesOf(stop, '?state=delivered&limit=1')).length === 1);
  assert.equal(receiver.about(deployment).at(-1)?.text, last?.text, 'word for word');
  for (const id of ['11111111-1111-4111-8111-111111111111', 'x']) {
    assertRefused(await call(berth, 'POST', `/webhooks/${stop}/deliveries/${id}/resend`), 404, 5, 'no delivery');
  }
  for (const query of ['?state=lost', '?limit=0', '?limit=101']) {
    assertRefused(await call(berth, 'GET', `/webhooks/${stop}/deliveries${query}`), 400, 3);
  }
  await Promise.all(ids.map(remove));
});
