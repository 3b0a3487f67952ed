// What delivering webhooks takes: the dialect that they are written in, and connections that lead to public addresses.

import { lookup } from 'node:dns';
import { webhookBody } from '../api/hiveon/webhook-body.ts';
import { eventBody } from '../api/native/webhook-body.ts';
import type { Context } from '../app/context.ts';
import type { WebhookSender } from '../app/webhook-delivery.ts';
import { post } from '../host/http-post.ts';
import { guardedLookup, type Lookup } from '../model/address-guard.ts';

/** An answer is read to its end, to be polite; nothing in it is looked at. */
const answerBytesMax = 64 * 1024;

/** Sends over the network, to whom `context` allows. @param find how names are resolved; the system's own way when left out */
export function webhookSender(context: Context, find: Lookup = lookup): WebhookSender {
  const guard = {
    allowed: context.allowedCallbackHosts,
    lookup: find,
    refuse: (found: string) => new Error(`${found} is not a public address`),
  };
  return {
    async render({ eventType, ...delivery }) {
      return eventType === null ? eventBody(delivery) : webhookBody(context, { ...delivery, eventType });
    },
    post: async (url, headers, body, signal) =>
      post(url, { headers, body, lookup: guardedLookup(url, guard), answerBytesMax }, signal),
  };
}
