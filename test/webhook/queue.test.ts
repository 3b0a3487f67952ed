// Several servers that deliver: each delivery by one of them, in order, also when one is killed; and what becomes of what is
// pending when a webhook is deleted or time has gone by.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeWebhook } from '../../src/app/webhook.ts';
import { webhookSender } from '../../src/compose/webhook.ts';
import type { Lookup } from '../../src/model/address-guard.ts';
import { purge } from '../../src/reconcilers/purge.ts';
import { inTransaction } from '../../src/store/database.ts';
import { insertEvents } from '../../src/store/event.ts';
import { rent } from '../slot/support.ts';
import { until } from '../support/berth.ts';
import { Deliverer, WebhookWorld } from './support.ts';

const dayMs = 24 * 60 * 60 * 1000;
const leaseMs = 30_000;

let webhooks: WebhookWorld;
let webhookId: string;
before(async () => {
  webhooks = await WebhookWorld.start('127.55.3.0/24');
});
after(() => webhooks.end());
beforeEach(async () => {
  webhooks.receiver.answer = () => 204;
  webhookId = await webhooks.register('deployment.updated');
});
afterEach(async () => {
  await removeWebhook(webhooks.context, webhooks.principal, webhookId).catch(() => {});
});

const countOf = async (table: 'webhook_queue' | 'webhook_delivery' | 'webhook') => {
  const row = await webhooks.context.database
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
};
const queueOf = (subject: string) =>
  webhooks.context.database.selectFrom('webhook_queue').where('subject', '=', subject).selectAll().executeTakeFirst();

test('two servers deliver each event once and in order, while more happens', async () => {
  const { receiver, context, world } = webhooks;
  const deployments = [];
  for (let number = 0; number < 6; number += 1) deployments.push(await webhooks.deploy());
  const [, second] = world.replicas;
  assert.ok(second);
  const deliverers = [new Deliverer(context), new Deliverer({ ...context, database: second.database })];
  let isOver = false;
  const happening = Promise.all(deployments.map((one) => webhooks.happen(one, 40))).then(() => {
    isOver = true;
  });
  await until('all were delivered', async () => {
    for (const deliverer of deliverers) deliverer.wake();
    return isOver && (await countOf('webhook_queue')) === 0;
  });
  await happening;
  await Promise.all(deliverers.map((one) => one.stop()));
  for (const deployment of deployments) {
    const happened = await webhooks.deliveries(deployment);
    assert.equal(happened.length, 40);
    assert.deepEqual(
      receiver.about(deployment).map(({ body }) => body.event_id),
      happened.map(({ event_id }) => event_id),
    );
  }
});

test('what a killed server had taken is taken by another once its lease has run out', async (t) => {
  const { receiver, context, world, key } = webhooks;
  const deployment = await webhooks.deploy();
  receiver.answer = () => 'hang';
  await webhooks.happen(deployment, 2);
  const given = [Buffer.from(key).toString('base64'), `127.0.0.1:${receiver.port}`, world.now.toISOString()];
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'deliver-child.ts'), world.connectionString, ...given],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  t.after(() => child.kill('SIGKILL'));
  await until('it has sent', async () => receiver.about(deployment).length === 1);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;

  receiver.answer = () => 204;
  webhooks.pass(leaseMs - 1);
  const deliverer = new Deliverer(context);
  await sleep(200);
  assert.equal(receiver.about(deployment).length, 1, 'not while it may still be at it');
  webhooks.pass(1);
  await until('both were told', async () => {
    deliverer.wake();
    return receiver.about(deployment).length === 3;
  });
  await deliverer.stop();
  const [first, second] = (await webhooks.deliveries(deployment)).map(({ event_id }) => event_id);
  const sent = receiver.about(deployment).map(({ body, headers }) => [body.event_id, headers['x-webhook-attempt']]);
  assert.deepEqual(sent, [
    [first, '1'],
    [first, '2'],
    [second, '1'],
  ]);
});

test('a server that stops breaks off what takes too long and leaves it to the next one at once', async () => {
  const { receiver, context } = webhooks;
  const deployment = await webhooks.deploy();
  receiver.answer = () => 'hang';
  await webhooks.happen(deployment);
  const first = new Deliverer(context);
  await until('it was sent', async () => receiver.about(deployment).length === 1);
  const began = performance.now();
  await first.stop();
  assert.ok(performance.now() - began < 9_000, 'a receiver is given 10 s');
  receiver.answer = () => 204;
  const second = new Deliverer(context);
  await until('it was told', async () => (await queueOf(deployment)) === undefined);
  await second.stop();
  assert.equal(receiver.about(deployment).length, 2);
});

test('one host name gets four deliveries at once at most, and others don’t wait for it', async () => {
  const { receiver, context } = webhooks;
  const slow = [];
  for (let number = 0; number < 8; number += 1) slow.push(await webhooks.deploy());
  const otherId = await webhooks.register('deployment.created', { url: receiver.url('/other') });
  const held: (() => void)[] = [];
  receiver.answer = ({ path }) =>
    path === '/other' ? 204 : (_request, response) => held.push(() => response.writeHead(204).end());
  for (const deployment of slow) await webhooks.happen(deployment);
  const elsewhere = `localhost:${receiver.port}`;
  await context.database
    .updateTable('webhook')
    .set({ callback_url: receiver.url('/other', 'localhost'), host_name: 'localhost' })
    .where('id', '=', otherId)
    .execute();
  const allowedCallbackHosts = new Set([...context.allowedCallbackHosts, elsewhere]);
  const deliverer = new Deliverer({ ...context, allowedCallbackHosts });
  await until('four are under way', async () => held.length === 4);
  await webhooks.deploy();
  await until('the other was told', async () => receiver.received.some(({ path }) => path === '/other'));
  assert.equal(held.length, 4);
  for (let answered = 0; answered < slow.length; answered += 1) {
    await until('the next one is there', async () => held.length > answered);
    assert.ok(held.length <= answered + 4);
    held[answered]?.();
  }
  await until('all were told', async () => (await countOf('webhook_queue')) === 0);
  await deliverer.stop();
  await removeWebhook(context, webhooks.principal, otherId);
});

test('an account whose receivers are slow, whatever their number, leaves room for the others', async () => {
  const { receiver, context, world } = webhooks;
  receiver.received.splice(0);
  const names = Array.from({ length: 10 }, (_none, number) => `slow-${number}.example.com`);
  const ids: string[] = [];
  for (const name of names) {
    const id = await webhooks.register('deployment.updated', { url: receiver.url('/slow') });
    const told = { callback_url: receiver.url('/slow', name), host_name: name };
    await context.database.updateTable('webhook').set(told).where('id', '=', id).execute();
    ids.push(id);
  }
  const other = await world.account(1_000_000_000n);
  const otherId = await webhooks.register('deployment.created', { url: receiver.url('/other'), principal: other });
  const slow = [];
  for (let number = 0; number < 4; number += 1) slow.push(await webhooks.deploy());
  await removeWebhook(context, webhooks.principal, webhookId);
  const held: (() => void)[] = [];
  receiver.answer = ({ path }) =>
    path === '/other' ? 204 : (_request, response) => held.push(() => response.writeHead(204).end());
  for (const deployment of slow) await webhooks.happen(deployment);
  webhooks.pass(1);
  await rent(context, other, await webhooks.machine.add());
  const allowed = names.map((name) => `${name}:${receiver.port}`);
  const allowedCallbackHosts = new Set([...context.allowedCallbackHosts, ...allowed]);
  const here: Lookup = (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);
  const sending = { ...context, allowedCallbackHosts };
  const deliverer = new Deliverer(sending, webhookSender(sending, here));
  try {
    // Before the slow ones are given up.
    await until('the other was told', async () => receiver.received.some(({ path }) => path === '/other'), 9_000);
    assert.ok(held.length > 0 && held.length <= 16, String(held.length));
  } finally {
    await deliverer.stop();
  }
  for (const id of ids) await removeWebhook(context, webhooks.principal, id);
  await removeWebhook(context, other, otherId);
});

test('a webhook that is deleted is told nothing more, also not of what is just being written', async () => {
  const { receiver, context, principal, world } = webhooks;
  const deployment = await webhooks.deploy();
  await webhooks.happen(deployment, 3);
  const { id } = await context.database
    .selectFrom('instance')
    .where('deployment_id', '=', deployment)
    .select('id')
    .executeTakeFirstOrThrow();
  const event = { kind: 'instance.active', message: 'It runs.', actor: 'berth', createdAt: world.now };
  let removing: Promise<void> | undefined;
  await inTransaction(context.database, async (tx) => {
    await insertEvents(tx, [{ ...event, accountId: principal.accountId, instanceId: id, hostId: null }]);
    removing = removeWebhook(context, principal, webhookId);
    await sleep(200);
  });
  await removing;
  assert.equal(await queueOf(deployment), undefined);
  const deliverer = new Deliverer(context);
  await webhooks.happen(deployment);
  await sleep(200);
  await deliverer.stop();
  assert.deepEqual(receiver.about(deployment), []);
  await purge(context);
  assert.deepEqual(await webhooks.deliveries(deployment), []);
  assert.equal(await countOf('webhook'), 0);
});

test('what was delivered is forgotten after 7 days, what was given up after 30, what is pending never', async () => {
  const { receiver, context } = webhooks;
  await purge(context);
  const [delivered, dead, pending] = [await webhooks.deploy(), await webhooks.deploy(), await webhooks.deploy()];
  const statuses = new Map([
    [delivered, 204],
    [dead, 404],
    [pending, 500],
  ]);
  receiver.answer = ({ body }) => statuses.get(String(body.data.deployment_id)) ?? 500;
  const deliverer = new Deliverer(context);
  for (const deployment of statuses.keys()) await webhooks.happen(deployment);
  await until('each was tried', async () => [...statuses.keys()].every((one) => receiver.about(one).length === 1));
  await until('each is settled', async () => {
    const rows = await context.database.selectFrom('webhook_queue').select('lease').execute();
    return rows.length === 1 && rows[0]?.lease === null;
  });
  await deliverer.stop();
  const kept = async () => {
    await purge(context);
    const rows = await Promise.all([...statuses.keys()].map((one) => webhooks.deliveries(one)));
    return rows.map(({ length }) => length);
  };
  webhooks.pass(7 * dayMs);
  assert.deepEqual(await kept(), [1, 1, 1]);
  webhooks.pass(1);
  assert.deepEqual(await kept(), [0, 1, 1]);
  webhooks.pass(23 * dayMs);
  assert.deepEqual(await kept(), [0, 0, 1]);
});
