// One server: a database connection, the dialects on a listener, and the reconcilers. It keeps no state of its own; any
// number may run on one database.

import type { Logger as Pino } from 'pino';
import { createMetrics } from '../api/metrics.ts';
import { buildServer } from '../api/server.ts';
import { ensureCatalog, ensureConfigurations } from '../app/bootstrap.ts';
import type { Context } from '../app/context.ts';
import { MarketView } from '../app/market.ts';
import type { Settings } from '../app/settings.ts';
import { checkVault, KeyVault } from '../app/vault.ts';
import { Wakeups } from '../app/wakeups.ts';
import { webhookWakeup } from '../app/webhook-delivery.ts';
import { endpointOf } from '../model/public-address.ts';
import type { Clock } from '../model/world.ts';
import { startReconcilers } from '../reconcilers/run.ts';
import { deliverWebhooks } from '../reconcilers/webhook.ts';
import { openDatabase } from '../store/database.ts';
import { migrate, schemaDirectory } from '../store/migrate.ts';
import { listenForNews, notifyHostsChanged } from '../store/notify.ts';
import { BuiltImageFolder } from './built-images.ts';
import { makeConsoles } from './console.ts';
import { imageReader } from './image-reader.ts';
import { isoReader } from './iso.ts';
import { type ListenAddress, listensEverywhere, urlOf } from './listen.ts';
import { systemClock, systemEntropy } from './system.ts';
import { type RunningTls, startTls, type TlsOptions } from './tls.ts';
import { webhookSender } from './webhook.ts';

/** What a server is started with. */
export interface ServerOptions {
  connectionString: string;
  listen: ListenAddress;
  /** Where hosts and other servers reach this one; where it listens when left out. */
  reachedAt?: string | undefined;
  settings: Settings;
  /** Where images that Berth builds are kept. */
  imageDirectory: string;
  /** HTTPS beside HTTP; none when left out. */
  tls?: TlsOptions;
  /** What secrets in the database are sealed with; the same for every server on one database. */
  secretKey: Uint8Array;
  allowedImageHosts: readonly string[];
  allowedCallbackHosts: readonly string[];
  /** The range that VMs' consoles get addresses out of from now on; as it was when left out. */
  consolePool?: string | undefined;
  /** The system's own when left out. */
  clock?: Clock;
  logger: Pino;
}

/** A running server. */
export interface RunningServer {
  url: string;
  /** HTTPS, where it is served. */
  tls: Omit<RunningTls, 'close'> | null;
  context: Context;
  close(): Promise<void>;
}

/**
 * Starts a server and resolves when it listens.
 * @param prepare done after the schema is up to date and before the first request is taken
 */
export async function startServer(
  options: ServerOptions,
  prepare: (context: Context) => Promise<void>,
): Promise<RunningServer> {
  const { connectionString, listen, settings, logger } = options;
  const database = openDatabase(connectionString, (error) =>
    // Not the error itself: the whole connection hangs on it, with the key that cancels its queries.
    logger.warn({ reason: error.message }, 'a database connection broke'),
  );
  const stopping = new AbortController();
  const builtImages = new BuiltImageFolder(options.imageDirectory, logger);
  let listening: { close(): PromiseLike<unknown> } | undefined;
  try {
    const applied = await migrate(database, schemaDirectory);
    if (applied.length > 0) logger.info({ applied }, 'schema brought up to date');
    const clock = options.clock ?? systemClock;
    const vault = new KeyVault(options.secretKey, systemEntropy);
    await checkVault(database, vault, clock.now());
    await builtImages.open();
    const wakeups = new Wakeups((hostIds) => notifyHostsChanged(database, hostIds));
    const context: Context = {
      database,
      clock,
      entropy: systemEntropy,
      logger,
      settings,
      wakeups,
      market: new MarketView(database),
      vault,
      allowedImageHosts: new Set(options.allowedImageHosts),
      allowedCallbackHosts: new Set(options.allowedCallbackHosts),
      readIso: isoReader(() => context.allowedImageHosts),
      readImage: imageReader(() => context.allowedImageHosts),
      publicUrl: urlOf(listen),
    };
    await ensureCatalog(context);
    await ensureConfigurations(context);
    const metrics = createMetrics();
    const app = await buildServer({ context, logger, metrics, builtImages });
    listening = app;
    const consoles = makeConsoles(context, app);
    consoles.serveOn(app.server);
    await app.listen({ host: listen.host, port: listen.port });
    const address = app.server.address();
    const port = typeof address === 'object' && address ? address.port : listen.port;
    const url = urlOf({ host: listen.host, port });
    // Known only now where the port was left to the system; nobody has asked for anything yet.
    context.publicUrl = options.reachedAt ?? url;
    const own = [url, context.publicUrl].map((one) => endpointOf(new URL(one)));
    context.allowedImageHosts = new Set([...options.allowedImageHosts, ...own]);
    if (options.reachedAt === undefined && listensEverywhere(listen)) {
      const advice = `--reached-at http://ADDRESS:${port}`;
      logger.warn(
        { url },
        `hosts elsewhere are told to reach this server there, which only this machine can; give ${advice}`,
      );
    }
    const tls = options.tls
      ? await startTls(
          { app, attach: consoles.serveOn, hosts: [new URL(url).hostname.replace(/^\[|\]$/g, '')], ...context },
          options.tls,
        )
      : null;
    const closeListeners = async () => {
      await tls?.close();
      await app.close();
    };
    listening = { close: closeListeners };
    await prepare(context);
    await consoles.start(options.consolePool);
    const listener = {
      onHost: (hostId: string) => wakeups.heard(hostId),
      onWebhook: () => wakeups.heard(webhookWakeup),
    };
    listenForNews(connectionString, listener, stopping.signal);
    const reconcilers = Promise.all([
      startReconcilers(context, metrics, stopping.signal),
      deliverWebhooks(context, webhookSender(context), stopping.signal),
    ]);
    logger.info({ url, ...(tls ? { tls: tls.url } : {}) }, 'server listens');
    return {
      url,
      tls: tls && { url: tls.url, authorityFile: tls.authorityFile },
      context,
      async close() {
        stopping.abort();
        await consoles.close();
        await closeListeners();
        await builtImages.close();
        await reconcilers;
        await database.destroy();
      },
    };
  } catch (error) {
    stopping.abort();
    await listening?.close();
    await database.destroy();
    throw error;
  }
}
