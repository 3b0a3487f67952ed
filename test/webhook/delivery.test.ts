// What receivers are sent: the life of a deployment, signed, in order, and nothing that was not committed.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { tellSlots } from '../../src/app/slot-news.ts';
import { setSlotPrices, setSlotState } from '../../src/app/slot-terms.ts';
import { inTransaction } from '../../src/store/database.ts';
import { end, fields, rent } from '../slot/support.ts';
import { until } from '../support/berth.ts';
import { Deliverer, type Received, signatureOf, WebhookWorld } from './support.ts';

let webhooks: WebhookWorld;
let deliverer: Deliverer;
before(async () => {
  webhooks = await WebhookWorld.start('127.55.1.0/24');
  for (const type of ['created', 'updated', 'stopped'] as const) await webhooks.register(`deployment.${type}`);
  for (const type of ['created', 'updated', 'removed'] as const) await webhooks.register(`slot.${type}`);
});
after(() => webhooks.end());
beforeEach(() => {
  deliverer = new Deliverer(webhooks.context);
});
afterEach(() => deliverer.stop());

const received = (subject: string, count: number) =>
  until(`${count} deliveries about ${subject}`, async () => {
    deliverer.wake();
    return webhooks.receiver.about(subject).length >= count;
  });
const told = ({ body }: Received) => [body.event_type, body.data.status];

test('a deployment is told of from start to stop, in the documented envelope, signed over the raw body', async () => {
  const { context, machine, principal, receiver } = webhooks;
  const slotId = await machine.add();
  const deployment = await rent(context, principal, slotId);
  await machine.report();
  await end(context, principal, deployment);
  await machine.report();
  const about = () => receiver.received.filter(({ body }) => body.data.deployment_id === deployment);
  await until('all were told', async () => about().length === 4);
  // Each registration has an order of its own.
  const tellings = about().map(told).sort();
  assert.deepEqual(tellings, [
    ['EVENT_TYPE_DEPLOYMENT_CREATED', 'STATUS_PENDING'],
    ['EVENT_TYPE_DEPLOYMENT_STOPPED', 'STATUS_STOPPED'],
    ['EVENT_TYPE_DEPLOYMENT_UPDATED', 'STATUS_RUNNING'],
    ['EVENT_TYPE_DEPLOYMENT_UPDATED', 'STATUS_STOPPING'],
  ]);
  const updates = about().filter(({ body }) => body.event_type === 'EVENT_TYPE_DEPLOYMENT_UPDATED');
  assert.deepEqual(
    updates.map(({ body }) => body.data.status),
    ['STATUS_RUNNING', 'STATUS_STOPPING'],
  );
  for (const { headers, text, body } of about()) {
    assert.deepEqual(Object.keys(body), ['version', 'event_id', 'event_type', 'data', 'timestamp']);
    assert.equal(body.version, '1.0');
    assert.equal(body.timestamp, webhooks.world.now.toISOString());
    assert.equal(body.data.machine_id, slotId);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['x-webhook-signature'], signatureOf(text));
    assert.equal(headers['x-webhook-id'], body.event_id);
    assert.equal(headers['x-webhook-attempt'], '1');
    assert.equal(headers['x-webhook-timestamp'], String(webhooks.world.now.getTime() / 1000));
  }
  const [created] = about().filter(({ body }) => body.event_type === 'EVENT_TYPE_DEPLOYMENT_CREATED');
  assert.equal(created?.body.data.started_at, null);
  assert.equal(created?.body.data.stopped_at, null);
});

test('a machine is told of to every account that asked, as it was when it changed', async () => {
  const { context, machine, receiver, world } = webhooks;
  const other = await world.account(0n);
  await webhooks.register('slot.updated', { url: receiver.url('/other'), principal: other });
  const slotId = await machine.add();
  await tellSlots(context, null);
  await setSlotPrices(context, slotId, { hour: '0.25', epoch: null }, fields);
  await tellSlots(context, null);
  await setSlotState(context, slotId, 'removed');
  await tellSlots(context, null);
  await received(slotId, 4);
  const tellings = receiver.about(slotId).map(({ path, body }) => [path, body.event_type, body.data.status]);
  assert.deepEqual(tellings.sort(), [
    ['/', 'EVENT_TYPE_MACHINE_CREATED', 'available'],
    ['/', 'EVENT_TYPE_MACHINE_REMOVED', 'inactive'],
    ['/', 'EVENT_TYPE_MACHINE_UPDATED', 'available'],
    ['/other', 'EVENT_TYPE_MACHINE_UPDATED', 'available'],
  ]);
  const updates = receiver.about(slotId).filter(({ body }) => body.event_type === 'EVENT_TYPE_MACHINE_UPDATED');
  assert.equal(new Set(updates.map(({ body }) => body.event_id)).size, 1, 'one event has one id');
  for (const { body } of updates) {
    const [price, ...more] = body.data.machine_prices as { amount: string; currency: string; unit: string }[];
    assert.deepEqual([price?.amount, price?.currency, price?.unit, more], ['0.25', 'USD', 'HOUR', []]);
    assert.equal((body.data.metadata as { machine_id: string }).machine_id, slotId);
  }
});

test('nobody is told of what was rolled back, of another account’s deployments, or of what an agent calls an event', async () => {
  const { context, machine, receiver, world } = webhooks;
  const stranger = await world.account(1_000_000_000n);
  const slotId = await machine.add();
  const deployment = await rent(context, stranger, slotId);
  await machine.report();
  const mine = await rent(context, webhooks.principal, await machine.add());
  await received(mine, 1);
  assert.deepEqual(
    receiver.received.filter(({ body }) => body.data.deployment_id === deployment),
    [],
  );

  const { id } = await world.database
    .selectFrom('instance')
    .where('deployment_id', '=', mine)
    .select('id')
    .executeTakeFirstOrThrow();
  const { count: before } = await countDeliveries();
  const event = { account_id: webhooks.principal.accountId, instance_id: id, host_id: null, message: '', data: null };
  const forged = { ...event, kind: 'instance.deleted', actor: 'agent', created_at: world.now };
  await world.database
    .insertInto('event')
    .values({ ...forged, agent_event_id: crypto.randomUUID() })
    .execute();
  const rolledBack = inTransaction(world.database, async (tx) => {
    await tx
      .insertInto('event')
      .values({ ...forged, actor: 'berth' })
      .execute();
    throw new Error('rolled back');
  });
  await assert.rejects(rolledBack, /rolled back/);
  assert.equal((await countDeliveries()).count, before);
});

const countDeliveries = () =>
  webhooks.world.database
    .selectFrom('webhook_delivery')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
