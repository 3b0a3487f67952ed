// `berth webhook`: URLs that are told what happens in an account.

import type { Delivery, Webhook, WebhookChange } from '../../../sdk/generated/types.ts';
import { type Desk, type Noun, option, several } from '../command.ts';
import { UsageError } from '../exit.ts';
import { accountOf, find, type Kind } from '../find.ts';
import { type Look, moment, relative } from '../table.ts';
import { readText } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

const accountOption = () => option('--account <ACCOUNT>', 'whose, where you see several');
const kindsOption = () => option('--on <KINDS>', 'of which events: instance, instance.failed, * ...', several);

/** Webhooks are found by their URLs, too. */
const webhookKind = (account: string | undefined): Kind<Webhook> => ({
  ...{ noun: 'webhook', prefix: 'whk', list: 'webhook list', tell: ({ kinds }) => kinds.join(' ') },
  get: (berth, id) => berth.webhooks.get(id),
  named: async (berth, url) => (await berth.webhooks.list({ account }).all()).filter((one) => one.url === url),
});

const findWebhook = async (
  desk: Desk,
  text: string,
  { account }: { account?: string | undefined },
): Promise<Webhook> => {
  if (/^whk_/.test(text)) return desk.berth.webhooks.get(text);
  return find(desk, webhookKind((await accountOf(desk, account)).id), text);
};

const sheet = (one: Webhook, look: Look): [string, string][] => [
  ['webhook', one.id],
  ['url', one.url],
  ['on', one.kinds.join(' ')],
  ['format', one.format],
  ['enabled', one.enabled ? 'yes' : 'no'],
  ['made', moment(one.createdAt, look)],
];

const tones = { delivered: 'good', pending: 'busy', dead: 'bad' } as const;

/** The `webhook` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: "list an account's webhooks",
      operation: 'listWebhooks',
      examples: ['webhook list', 'webhook list --account acme'],
      options: [accountOption()],
      columns: [
        { title: 'url', cell: ({ url }: Webhook) => url, rank: 1 },
        { title: 'on', cell: ({ kinds }) => kinds.join(' '), rank: 2 },
        { title: 'enabled', cell: ({ enabled }) => (enabled ? 'yes' : 'no') },
        { title: 'id', cell: ({ id }) => id },
      ],
      none: 'There is no webhook.',
      pages: async (desk, limit, { account }: { account?: string }) =>
        desk.berth.webhooks.list({ account: (await accountOf(desk, account)).id, limit }),
    }),
    showVerb({
      usage: 'show <WEBHOOK>',
      description: 'show one webhook',
      operation: 'getWebhook',
      examples: ['webhook show https://hooks.example.com/berth', 'webhook show whk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f'],
      options: [accountOption()],
      find: (desk, text, options) => findWebhook(desk, text, options),
      sheet,
    }),
    actVerb<{ account?: string; on?: string[]; secretFile?: string }>({
      usage: 'create <URL>',
      description: 'let a URL be told of events',
      operation: 'createWebhook',
      examples: [
        'webhook create https://hooks.example.com/berth --on instance.failed',
        'webhook create https://hooks.example.com/all --secret-file secret.txt',
      ],
      options: [
        kindsOption(),
        option('--secret-file <FILE>', 'what deliveries are signed with; made and shown once unless given'),
        accountOption(),
      ],
      async act(desk, [url = ''], { account, on, secretFile }) {
        const { id } = await accountOf(desk, account);
        const secret = secretFile && (await readText(secretFile, '--secret-file')).trim();
        const value = await desk.berth.webhooks.create({ url, kinds: on ?? ['*'], secret, account: id });
        const shown = value.secret === null ? '' : `\nIts secret, shown once: ${value.secret}`;
        return { value, done: `Webhook ${value.id} tells ${url}.${shown}` };
      },
    }),
    actVerb<{ url?: string; on?: string[]; enable?: boolean; disable?: boolean; account?: string }>({
      usage: 'set <WEBHOOK>',
      description: 'change where a webhook goes or what it tells, or switch it off and on',
      operation: 'updateWebhook',
      examples: [
        'webhook set https://hooks.example.com/berth --disable',
        'webhook set whk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --on instance.failed',
      ],
      options: [
        option('--url <URL>', 'where it goes'),
        kindsOption(),
        option('--enable', 'switch it on'),
        option('--disable', 'switch it off'),
        accountOption(),
      ],
      async act(desk, [text = ''], { url, on, enable, disable, account }) {
        if (enable && disable) throw new UsageError('--enable and --disable exclude each other.');
        const change: WebhookChange = { url, kinds: on, enabled: enable ? true : disable ? false : undefined };
        if (Object.values(change).every((value) => value === undefined))
          throw new UsageError('Nothing is to be changed.');
        const { id } = await findWebhook(desk, text, { account });
        return { value: await desk.berth.webhooks.update(id, change), done: `Webhook ${text} is changed.` };
      },
    }),
    listVerb({
      usage: 'deliveries <WEBHOOK>',
      description: 'list what was, is being or could not be delivered, the newest first',
      operation: 'listDeliveries',
      examples: [
        'webhook deliveries https://hooks.example.com/berth',
        'webhook deliveries whk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --state dead',
      ],
      options: [
        option('--state <STATE>', 'only in this one').choices(['pending', 'delivered', 'dead']),
        accountOption(),
      ],
      columns: [
        { title: 'delivery', cell: ({ id }: Delivery) => id, rank: 1 },
        { title: 'event', cell: ({ event }) => event?.kind },
        { title: 'state', cell: ({ state }) => ({ text: state, tone: tones[state] }) },
        { title: 'tried', cell: ({ attempts }) => attempts, right: true },
        { title: 'of', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 3 },
        { title: 'why not', cell: ({ lastError }) => lastError, rank: 2 },
      ],
      none: 'Nothing was told yet.',
      rows: 50,
      pages: async (desk, limit, options: { state?: Delivery['state']; account?: string }, [text = '']) => {
        const { id } = await findWebhook(desk, text, options);
        return desk.berth.webhooks.listDeliveries(id, { state: options.state, limit });
      },
    }),
    actVerb<{ account?: string }>({
      usage: 'resend <WEBHOOK> <DELIVERY>',
      description: 'deliver again, whatever has become of it',
      operation: 'resendDelivery',
      examples: [
        'webhook resend whk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f \\\n    dlv_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'webhook resend https://hooks.example.com/berth \\\n    dlv_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
      ],
      options: [accountOption()],
      async act(desk, [text = '', delivery = ''], options) {
        const { id } = await findWebhook(desk, text, options);
        return { value: await desk.berth.webhooks.resendDelivery(id, delivery), done: 'It is delivered again.' };
      },
    }),
    deleteVerb({
      usage: 'delete <WEBHOOK>',
      description: 'tell a URL no more',
      operation: 'deleteWebhook',
      examples: [
        'webhook delete https://hooks.example.com/berth',
        'webhook delete whk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --yes',
      ],
      options: [accountOption()],
      find: (desk, text, options) => findWebhook(desk, text, options),
      question: ({ url }) => `Tell ${url} no more? What is still to be delivered is dropped.`,
      end: ({ berth }, { id }) => berth.webhooks.delete(id),
      done: ({ url }) => `${url} is told no more.`,
    }),
  ],
};
