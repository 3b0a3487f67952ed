// Berth's own API, `/berth/v1`.

import type { Context } from '../../app/context.ts';
import { defineDialect } from '../dialect.ts';
import { openApiDocument } from '../document.ts';
import type { App } from '../types.ts';
import { accountRoutes } from './account.ts';
import { addressRoutes } from './address.ts';
import { apiKeyRoutes } from './api-key.ts';
import { backupRoutes } from './backup.ts';
import { backupScheduleRoutes } from './backup-schedule.ts';
import { balanceRoutes } from './balance.ts';
import { readOwnBodies } from './body.ts';
import { capacityRoutes } from './capacity.ts';
import { catalogChangeRoutes } from './catalog-change.ts';
import { configurationRoutes } from './configuration.ts';
import { showToOrigins } from './cors.ts';
import { datacenterRoutes } from './datacenter.ts';
import { deploymentRoutes } from './deployment.ts';
import { diskRoutes } from './disk.ts';
import { doorRoutes } from './door.ts';
import { nativeError, ProblemSchema, problemType } from './error.ts';
import { eventRoutes } from './event.ts';
import { eventStreamRoutes } from './event-stream.ts';
import { finishDocument } from './finish-document.ts';
import { groupRoutes } from './group.ts';
import { hardwareRoutes } from './hardware.ts';
import { hostRoutes } from './host.ts';
import { hostPartRoutes } from './host-part.ts';
import { imageRoutes } from './image.ts';
import { instanceRoutes } from './instance.ts';
import { instanceActRoutes } from './instance-act.ts';
import { instanceChangeRoutes } from './instance-change.ts';
import { instanceCountRoutes } from './instance-count.ts';
import { instanceCreateRoutes } from './instance-create.ts';
import { keysRoutes } from './keys.ts';
import { logRoutes } from './log.ts';
import { meRoutes } from './me.ts';
import { metricsRoutes } from './metrics.ts';
import { notePlaces, nowhereRoutes } from './nowhere.ts';
import { offerRoutes } from './offer.ts';
import { operationRoutes } from './operation-read.ts';
import { orphanRoutes } from './orphan.ts';
import { priceRoutes } from './price.ts';
import { privilegeRoutes } from './privilege.ts';
import { quoteRoutes } from './quote.ts';
import { holdRates } from './rate.ts';
import { revenueRoutes } from './revenue.ts';
import { secondFactorRoutes } from './second-factor.ts';
import { sessionRoutes } from './session.ts';
import { slotRoutes } from './slot.ts';
import { spendRoutes } from './spend.ts';
import { sshKeyRoutes } from './ssh-key.ts';
import { transactionRoutes } from './transaction.ts';
import { userRoutes } from './user.ts';
import { webhookRoutes } from './webhook.ts';
import { webhookDeliveryRoutes } from './webhook-delivery.ts';

/** Money, and what operators run. */
const operatorRoutes = [
  balanceRoutes,
  spendRoutes,
  transactionRoutes,
  revenueRoutes,
  priceRoutes,
  hostRoutes,
  hostPartRoutes,
  orphanRoutes,
  slotRoutes,
  catalogChangeRoutes,
];

const description = [
  'Everything that Berth can do, for programs and people. Lists come in pages; ids say what they are ids of; times are UTC;',
  'amounts are decimal strings of US dollars; every change takes `Idempotency-Key` and `dryRun`; errors are problem details',
  'with a stable `code`.',
].join(' ');

/** What comes before the routes. */
async function prepare(app: App, context: Context): Promise<void> {
  notePlaces(app);
  readOwnBodies(app);
  showToOrigins(app, context);
  await holdRates(app, context);
}

/** Berth's own API as a Fastify plugin. */
export const nativeDialect = defineDialect({
  name: 'native',
  document: openApiDocument('Berth', description, {
    Bearer: { type: 'http', scheme: 'bearer', description: "An API key, or a session's token" },
    Cookie: {
      type: 'apiKey',
      in: 'cookie',
      name: 'berth_session',
      description:
        "A web page's session, over HTTPS `__Host-berth_session`; changes are taken from this site's own pages alone",
    },
    ApiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  }),
  errorSchema: ProblemSchema,
  errorType: problemType,
  toError: nativeError,
  readKey: null,
  prepare,
  finishDocument,
  routes: [
    meRoutes,
    sessionRoutes,
    userRoutes,
    secondFactorRoutes,
    privilegeRoutes,
    apiKeyRoutes,
    accountRoutes,
    groupRoutes,
    sshKeyRoutes,
    operationRoutes,
    eventRoutes,
    offerRoutes,
    capacityRoutes,
    configurationRoutes,
    hardwareRoutes,
    datacenterRoutes,
    imageRoutes,
    eventStreamRoutes,
    instanceRoutes,
    instanceCountRoutes,
    diskRoutes,
    ...operatorRoutes,
    logRoutes,
    webhookRoutes,
    webhookDeliveryRoutes,
    backupRoutes,
    backupScheduleRoutes,
    instanceChangeRoutes,
    instanceActRoutes,
    instanceCreateRoutes,
    deploymentRoutes,
    quoteRoutes,
    addressRoutes,
    keysRoutes,
    doorRoutes,
    metricsRoutes,
    nowhereRoutes,
  ],
});
