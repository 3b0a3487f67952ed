// What a webhook's receiver reads: an envelope, and in it the machine or the deployment as it was when the event happened.
// (Hiveon API: webhook delivery.)

import { readContainerAt } from '../../app/container.ts';
import type { Context } from '../../app/context.ts';
import { readSlot } from '../../app/slot.ts';
import type { TakenDelivery } from '../../app/webhook-delivery.ts';
import type { InstanceStatus } from '../../model/instance.ts';
import type { SlotPriceUnit, SlotStatus } from '../../model/slot.ts';
import type { WebhookEventType } from '../../model/webhook.ts';
import { deploymentObject, machineObject } from './mapping.ts';
import type { Deployment, Machine } from './schema.ts';

/** What this dialect calls the events. */
export const eventTypeNames = {
  'slot.created': 'EVENT_TYPE_MACHINE_CREATED',
  'slot.updated': 'EVENT_TYPE_MACHINE_UPDATED',
  'slot.removed': 'EVENT_TYPE_MACHINE_REMOVED',
  'deployment.created': 'EVENT_TYPE_DEPLOYMENT_CREATED',
  'deployment.updated': 'EVENT_TYPE_DEPLOYMENT_UPDATED',
  'deployment.stopped': 'EVENT_TYPE_DEPLOYMENT_STOPPED',
} as const satisfies Record<WebhookEventType, string>;

/** A deployment's snapshot, as the database writes it. */
interface DeploymentSnapshot {
  status: InstanceStatus;
  statusReason: string | null;
  failureCode: string | null;
  statusChangedAt: string;
  activatedAt: string | null;
}

/** A slot's snapshot: the event's own data. */
interface SlotSnapshot {
  status: SlotStatus;
  prices: { id: string; amount: string; unit: SlotPriceUnit }[];
}

/** A delivery of one of these types. */
export type TypedDelivery = TakenDelivery & { eventType: WebhookEventType };

/** The whole body of a delivery. */
export async function webhookBody(context: Context, delivery: TypedDelivery): Promise<object> {
  return {
    version: '1.0',
    event_id: delivery.eventId,
    event_type: eventTypeNames[delivery.eventType],
    data: delivery.eventType.startsWith('slot.')
      ? await machineAt(context, delivery)
      : await deploymentAt(context, delivery),
    timestamp: delivery.happenedAt.toISOString(),
  };
}

async function machineAt(context: Context, { subject, snapshot }: TakenDelivery): Promise<Machine> {
  const { status, prices } = snapshot as unknown as SlotSnapshot;
  const slot = await readSlot(context, subject, { orRemoved: true });
  const shown = prices.map(({ id, amount, unit }) => ({ id, amount, currency: 'USD', unit: unit.toUpperCase() }));
  return { ...machineObject({ ...slot, status }), machine_prices: shown };
}

async function deploymentAt(context: Context, { accountId, subject, snapshot }: TakenDelivery): Promise<Deployment> {
  const { statusChangedAt, activatedAt, ...then } = snapshot as unknown as DeploymentSnapshot;
  const container = await readContainerAt(context, accountId, subject, {
    ...then,
    statusChangedAt: new Date(statusChangedAt),
    activatedAt: activatedAt === null ? null : new Date(activatedAt),
  });
  return deploymentObject(container);
}
