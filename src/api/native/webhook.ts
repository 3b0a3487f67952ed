// Webhooks: what happens in an account is told to a URL of its own, signed, until it was taken.

import Type, { type Static } from 'typebox';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import {
  changeWebhook,
  listWebhooks,
  reachWebhook,
  readWebhook,
  registerWebhook,
  removeWebhook,
  type WebhookRow,
} from '../../app/webhook.ts';
import { webhookKindsMax } from '../../model/webhook.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { Id, readId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime } from './shape.ts';

const Url = Text('https://hooks.example.com/berth', 'Where deliveries are posted; a public address', {
  maxLength: 2_048,
});
const Kinds = Type.Array(Text('instance', undefined, { maxLength: 64 }), {
  maxItems: webhookKindsMax,
  description: 'Kinds of events, each with those below it: `instance` has `instance.active`; `*` is every event',
});
const parts = {
  id: Id('webhook'),
  account: Id('account'),
  url: Url,
  kinds: Kinds,
  format: OneOf(['event', 'hiveon'], 'How a delivery is written; those made here are `event`'),
  enabled: Type.Boolean({ description: 'While it is not, nothing is sent or noted for it', examples: [true] }),
  createdAt: Time(),
};
const WebhookSchema = Shape('Webhook', parts, 'Tells a URL what happens in an account');

const toWebhook = (row: WebhookRow): Static<typeof WebhookSchema> => ({
  id: toId('webhook', row.id),
  account: toId('account', row.accountId),
  url: row.callbackUrl,
  kinds: row.kinds ?? (row.eventType ? [row.eventType] : []),
  format: row.eventType === null ? 'event' : 'hiveon',
  enabled: row.enabled,
  createdAt: toTime(row.createdAt),
});

const fields = { callbackUrl: 'url', secret: 'secret', kinds: 'kinds' };

const find = async (context: Context, caller: Caller, { webhook }: { webhook: string }) => {
  const id = readId('webhook', webhook);
  return toWebhook(await readWebhook(context, await reachWebhook(context, caller, id, 'vm_console'), id));
};

/** Adds the routes. */
export function webhookRoutes(api: Api): void {
  const path = '/webhooks/{webhook}';

  read(
    api,
    {
      id: 'listWebhooks',
      tag: 'webhooks',
      summary: "An account's webhooks, the oldest first",
      path: '/webhooks',
      query: { ...pageQuery, account: Type.Optional(AccountRef()) },
      result: PageOf('WebhookPage', WebhookSchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) => {
      const { principal } = await accountOf(context, caller, query, 'vm_console');
      return pageOfAll(await listWebhooks(context, principal), query, ({ id }) => id, toWebhook);
    },
  );

  read(
    api,
    { id: 'getWebhook', tag: 'webhooks', summary: 'A webhook', path, result: WebhookSchema, refusals: ['forbidden'] },
    ({ context, caller, params }) => find(context, caller, params),
  );

  change(
    api,
    {
      id: 'createWebhook',
      tag: 'webhooks',
      summary: 'Be told of events',
      description: [
        'Each is posted as `{"id", "webhook", "event"}`, with `X-Webhook-Signature: sha256=` and the HMAC-SHA256 of the body under',
        'the secret. It is tried again until it was taken with a status of 2xx, for 24 hours; the same `id` is the same delivery.',
      ].join(' '),
      method: 'POST',
      path: '/webhooks',
      body: Shape('NewWebhook', {
        account: Type.Optional(AccountRef()),
        url: Url,
        kinds: Kinds,
        secret: Type.Optional(
          Text('a secret of yours', 'What deliveries are signed with; made unless given', { maxLength: 255 }),
        ),
      }),
      status: 201,
      result: Shape('CreatedWebhook', {
        ...parts,
        secret: Nullable(
          Text('whsec_4be1b1a5', 'What deliveries are signed with, where it was made; it is not shown again'),
        ),
      }),
      hasSecret: true,
      location: ({ id }) => `/webhooks/${id}`,
      refusals: ['not_found'],
    },
    async ({ context, caller, body }) => {
      const { principal } = await accountOf(context, caller, body, 'account_admin');
      const given = { kinds: body.kinds, callbackUrl: body.url, secret: body.secret ?? null };
      const { madeSecret, ...webhook } = await registerWebhook(context, principal, given, fields);
      return { ...toWebhook(webhook), secret: madeSecret };
    },
  );

  change(
    api,
    {
      id: 'updateWebhook',
      tag: 'webhooks',
      summary: 'Change where a webhook goes or what it tells, or switch it off and on',
      description:
        'What is pending when it is switched off is sent when it is switched on; what happens in between is not.',
      method: 'PATCH',
      path,
      body: Shape('WebhookChange', {
        url: Type.Optional(Url),
        kinds: Type.Optional(Kinds),
        enabled: Type.Optional(Type.Boolean({ examples: [true] })),
      }),
      result: WebhookSchema,
      current: ({ context, caller, params }) => find(context, caller, params),
    },
    async ({ context, caller, params, body }) => {
      const id = readId('webhook', params.webhook);
      const principal = await reachWebhook(context, caller, id, 'account_admin');
      const given = { callbackUrl: body.url, kinds: body.kinds, enabled: body.enabled };
      return toWebhook(await changeWebhook(context, principal, id, given, fields));
    },
  );

  change(
    api,
    {
      id: 'deleteWebhook',
      tag: 'webhooks',
      summary: 'Be told no more; what is still to be delivered is dropped',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      current: ({ context, caller, params }) => find(context, caller, params),
    },
    async ({ context, caller, params }) => {
      const id = readId('webhook', params.webhook);
      await removeWebhook(context, await reachWebhook(context, caller, id, 'account_admin'), id);
      return null;
    },
  );
}
