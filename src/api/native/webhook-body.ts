// What the receiver of a webhook by kinds reads: which delivery it is, and the event as the feed has it.

import type { Static } from 'typebox';
import type { EventRow } from '../../app/event.ts';
import type { TakenDelivery } from '../../app/webhook-delivery.ts';
import { type EventSchema, toEvent } from './event.ts';
import { toId } from './id.ts';

/** The whole body of a delivery. */
export function eventBody({ eventId, webhookId, snapshot }: Pick<TakenDelivery, 'eventId' | 'webhookId' | 'snapshot'>) {
  return { id: toId('delivery', eventId), webhook: toId('webhook', webhookId), event: eventAt(snapshot) };
}

/** The event that a snapshot is of, as the database writes it. */
export function eventAt(snapshot: Record<string, unknown>): Static<typeof EventSchema> {
  const { createdAt, ...row } = snapshot as unknown as Omit<EventRow, 'createdAt'> & { createdAt: string };
  return toEvent({ ...row, createdAt: new Date(createdAt) });
}
