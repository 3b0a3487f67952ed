// Receivers that fail: what is tried again and when, what waits for it, what is given up, and what is sent again on request.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { listWebhookDeliveries, removeWebhook, resendWebhookDelivery } from '../../src/app/webhook.ts';
import { webhookSender } from '../../src/compose/webhook.ts';
import type { Lookup } from '../../src/model/address-guard.ts';
import { until } from '../support/berth.ts';
import { Deliverer, Receiver, WebhookWorld } from './support.ts';

const secondMs = 1_000;
const hourMs = 60 * 60 * secondMs;

let webhooks: WebhookWorld;
let webhookId: string;
let deliverer: Deliverer;
before(async () => {
  webhooks = await WebhookWorld.start('127.55.2.0/24');
});
after(() => webhooks.end());
beforeEach(async () => {
  webhooks.receiver.answer = () => 204;
  webhookId = await webhooks.register('deployment.updated');
  deliverer = new Deliverer(webhooks.context);
});
afterEach(async () => {
  await deliverer.stop();
  await removeWebhook(webhooks.context, webhooks.principal, webhookId);
});

const attemptsOf = (subject: string) => webhooks.receiver.about(subject).length;

/** Waits until nothing about a deployment is under way. */
async function settled(subject: string): Promise<void> {
  await until('the attempts are over', async () => {
    deliverer.wake();
    const queue = await webhooks.context.database
      .selectFrom('webhook_queue')
      .where('subject', '=', subject)
      .select(['lease', 'due_at'])
      .executeTakeFirst();
    return !queue || (queue.lease === null && queue.due_at > webhooks.world.now);
  });
}

/** Lets time pass, and whatever is due then be tried. */
async function pass(ms: number, subject: string): Promise<void> {
  webhooks.pass(ms);
  await settled(subject);
}

test('what a receiver fails to take is tried again after 1, 2, 4 ... s, and what follows about the same waits for it', async () => {
  const { receiver } = webhooks;
  const [failing, healthy] = [await webhooks.deploy(), await webhooks.deploy()];
  const statuses = [500, 503, 429, 408];
  receiver.answer = ({ body }) => (body.data.deployment_id === failing ? (statuses.shift() ?? 204) : 204);
  await webhooks.happen(failing, 3);
  await webhooks.happen(healthy, 2);
  await until('the healthy one is told', async () => attemptsOf(healthy) === 2);
  await settled(failing);
  assert.equal(attemptsOf(failing), 1);
  for (const [attempt, waitMs] of [1, 2, 4].entries()) {
    await pass(waitMs * secondMs - 1, failing);
    assert.equal(attemptsOf(failing), attempt + 1, 'not before its time');
    await pass(1, failing);
    assert.equal(attemptsOf(failing), attempt + 2);
  }
  await pass(8 * secondMs, failing);
  const expected = (await webhooks.deliveries(failing)).map(({ event_id }) => event_id);
  const [first, ...others] = expected;
  assert.deepEqual(
    receiver.about(failing).map(({ body }) => body.event_id),
    [first, first, first, first, first, ...others],
  );
  assert.deepEqual(
    receiver.about(failing).map(({ headers }) => headers['x-webhook-attempt']),
    ['1', '2', '3', '4', '5', '1', '1'],
  );
});

test('a receiver that can’t be reached is tried again; one that comes back within a day misses nothing', async () => {
  const away = await Receiver.start();
  const url = away.url();
  away.close();
  const context = { ...webhooks.context, allowedCallbackHosts: new Set([new URL(url).host]) };
  await deliverer.stop();
  deliverer = new Deliverer(context);
  await webhooks.context.database
    .updateTable('webhook')
    .set({ callback_url: url })
    .where('id', '=', webhookId)
    .execute();
  const deployment = await webhooks.deploy();
  await webhooks.happen(deployment);
  await settled(deployment);
  const [pending] = await listWebhookDeliveries(context, webhooks.principal, webhookId, { state: 'pending', limit: 1 });
  assert.match(pending?.lastError ?? '', /^The receiver can't be reached: connect ECONNREFUSED/);
  for (let hours = 0; hours < 23; hours += 1) await pass(hourMs, deployment);
  const [delivery] = await webhooks.deliveries(deployment);
  assert.equal(delivery?.dead_at, null);
  assert.equal(delivery?.attempts, 24);
  await webhooks.context.database
    .updateTable('webhook')
    .set({ callback_url: webhooks.receiver.url() })
    .where('id', '=', webhookId)
    .execute();
  await deliverer.stop();
  deliverer = new Deliverer(webhooks.context);
  await pass(hourMs, deployment);
  assert.equal(attemptsOf(deployment), 1);
});

test('after a day it is given up and listed, the next one goes on, and it is sent again on request', async () => {
  const { context, principal, receiver } = webhooks;
  const deployment = await webhooks.deploy();
  receiver.answer = () => 500;
  await webhooks.happen(deployment);
  await settled(deployment);
  await pass(24 * hourMs, deployment);
  const dead = await listWebhookDeliveries(context, principal, webhookId, { state: 'dead', limit: 10 });
  assert.deepEqual(
    dead.map(({ subject, state, attempts, lastError }) => [subject, state, attempts, lastError]),
    [[deployment, 'dead', 2, 'The receiver answered 500.']],
  );
  receiver.answer = () => 200;
  await webhooks.happen(deployment);
  await settled(deployment);
  const eventId = dead[0]?.eventId ?? '';
  const again = await resendWebhookDelivery(context, principal, webhookId, eventId);
  assert.deepEqual([again.state, again.attempts], ['pending', 0]);
  await settled(deployment);
  const ids = receiver.about(deployment).map(({ body }) => body.event_id);
  assert.equal(ids.at(-1), eventId);
  assert.deepEqual(await listWebhookDeliveries(context, principal, webhookId, { state: 'dead', limit: 10 }), []);
  const delivered = await listWebhookDeliveries(context, principal, webhookId, { state: 'delivered', limit: 10 });
  assert.deepEqual(
    delivered.map(({ lastError }) => lastError),
    [null, null],
  );
});

test('what a receiver refuses is given up at once, and a redirect is not followed', async () => {
  const { context, principal, receiver } = webhooks;
  const secret = await Receiver.start();
  for (const status of [400, 401, 404, 410, 301, 302, 307, 308]) {
    receiver.answer = () =>
      status >= 400 ? status : (_request, response) => response.writeHead(status, { location: secret.url() }).end();
    const deployment = await webhooks.deploy();
    await webhooks.happen(deployment);
    await settled(deployment);
    const [dead] = await listWebhookDeliveries(context, principal, webhookId, { state: 'dead', limit: 1 });
    assert.equal(dead?.subject, deployment);
    assert.match(dead.lastError ?? '', new RegExp(`^The receiver answered ${status}`));
    assert.equal(attemptsOf(deployment), 1);
  }
  assert.deepEqual(secret.received, []);
  secret.close();
});

test('a receiver that never answers is given 10 s; one that answers without end is taken by its status', async () => {
  const { receiver } = webhooks;
  const [deployment, other] = [await webhooks.deploy(), await webhooks.deploy()];
  receiver.answer = ({ body }) =>
    body.data.deployment_id === deployment ? 'hang' : (_request, response) => response.writeHead(200).flushHeaders();
  for (const one of [deployment, other]) await webhooks.happen(one);
  for (const one of [deployment, other]) {
    await until('it was sent', async () => attemptsOf(one) === 1);
    await settled(one);
    assert.equal((await webhooks.deliveries(one))[0]?.last_error, 'The receiver did not answer within 10 s.');
  }
  receiver.answer = () => (_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
    };
    response.on('drain', more);
    more();
  };
  await pass(secondMs, deployment);
  assert.equal(attemptsOf(deployment), 2);
  assert.notEqual((await webhooks.deliveries(deployment))[0]?.delivered_at, null);
});

test('a name that leads to a private address is refused on every attempt, whatever it led to before', async () => {
  const { receiver, context, principal } = webhooks;
  await deliverer.stop();
  const url = receiver.url('/', 'hooks.example');
  const id = await webhooks.register('deployment.updated', { url });
  const answers = [['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['::ffff:127.0.0.1'], ['169.254.169.254']];
  let lookups = 0;
  const lookup: Lookup = (_hostname, _options, callback) => {
    const addresses = answers[lookups] ?? [];
    lookups += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  deliverer = new Deliverer(context, webhookSender(context, lookup));
  const deployment = await webhooks.deploy();
  await webhooks.happen(deployment);
  for (const [index] of answers.entries()) {
    await settled(deployment);
    const [pending] = await listWebhookDeliveries(context, principal, id, { state: 'pending', limit: 1 });
    assert.match(pending?.lastError ?? '', /hooks\.example is at \S+, which is not a public address\.$/);
    assert.equal(pending?.attempts, index + 1);
    assert.equal(lookups, index + 1);
    webhooks.pass(hourMs);
  }
  // The webhook that leads there by an allowed address is told all the same.
  assert.equal(attemptsOf(deployment), 1);
  await removeWebhook(context, principal, id);
});

test('an address that is allowed no more is not delivered to', async () => {
  const { receiver, context, principal } = webhooks;
  await deliverer.stop();
  const strict = { ...context, allowedCallbackHosts: new Set<string>() };
  deliverer = new Deliverer(strict);
  const deployment = await webhooks.deploy();
  await webhooks.happen(deployment);
  await settled(deployment);
  const [pending] = await listWebhookDeliveries(context, principal, webhookId, { state: 'pending', limit: 1 });
  assert.equal(pending?.lastError, "The receiver can't be reached: 127.0.0.1 is not a public address.");
  assert.deepEqual(receiver.about(deployment), []);
});
