// A server, as far as it delivers, in a process of its own, until it is killed. For queue.test.ts.

import type { Context } from '../../src/app/context.ts';
import { MarketView } from '../../src/app/market.ts';
import { readSettings } from '../../src/app/settings.ts';
import { KeyVault } from '../../src/app/vault.ts';
import { Wakeups } from '../../src/app/wakeups.ts';
import { systemEntropy } from '../../src/compose/system.ts';
import { webhookSender } from '../../src/compose/webhook.ts';
import { deliverWebhooks } from '../../src/reconcilers/webhook.ts';
import { openDatabase } from '../../src/store/database.ts';

const [connectionString = '', key = '', allowed = '', now = ''] = process.argv.slice(2);
const database = openDatabase(connectionString, () => {});
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const context: Context = {
  ...{
    database,
    logger,
    entropy: systemEntropy,
    clock: { now: () => new Date(now) },
    settings: await readSettings(''),
  },
  ...{ wakeups: new Wakeups(async () => {}), market: new MarketView(database) },
  vault: new KeyVault(Buffer.from(key, 'base64'), systemEntropy),
  ...{ allowedImageHosts: new Set<string>(), allowedCallbackHosts: new Set([allowed]), publicUrl: '' },
};
await deliverWebhooks(context, webhookSender(context), new AbortController().signal);
