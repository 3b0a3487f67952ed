// Webhooks, and what is on its way to their receivers.

import type { Generated } from 'kysely';
import type { WebhookEventType } from '../../model/webhook.ts';
import type { Json } from './json.ts';

interface WebhookTable {
  id: string;
  account_id: string;
  event_type: WebhookEventType | null;
  kinds: string[] | null;
  enabled: Generated<boolean>;
  callback_url: string;
  host_name: string;
  secret: Uint8Array;
  created_at: Date;
  removed_at: Generated<Date | null>;
}

interface WebhookDeliveryTable {
  id: Generated<bigint>;
  webhook_id: string;
  event_id: string;
  subject: string;
  snapshot: Json<Record<string, unknown>>;
  happened_at: Date;
  attempts: Generated<number>;
  waiting_since: Date;
  last_error: Generated<string | null>;
  delivered_at: Generated<Date | null>;
  dead_at: Generated<Date | null>;
}

interface WebhookQueueTable {
  webhook_id: string;
  subject: string;
  host_name: string;
  due_at: Date;
  lease: Generated<string | null>;
}

/** Webhooks, and what is on its way to their receivers */
export interface WebhookTables {
  webhook: WebhookTable;
  webhook_delivery: WebhookDeliveryTable;
  webhook_queue: WebhookQueueTable;
}
