// One listener for everything: the dialects, the agents, built images, health and metrics.

import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { Context } from '../app/context.ts';
import { errorTable } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { consoleProtocol } from './agent/contract/console.ts';
import { agentDialect } from './agent/plugin.ts';
import { type BuiltImages, builtImageRoutes } from './built-image.ts';
import { bytemarkDialect } from './bytemark/plugin.ts';
import type { Dialect } from './dialect.ts';
import { asBerthError, noSuchPath } from './failure.ts';
import { fluenceDialect } from './fluence/plugin.ts';
import { healthRoutes } from './health.ts';
import { hiveonDialect } from './hiveon/plugin.ts';
import { readJsonBodies } from './json-body.ts';
import { countRequests, type Metrics, metricsRoutes } from './metrics.ts';
import { nativeDialect } from './native/plugin.ts';
import { pages } from './pages/plugin.ts';
import { lateSerializerCompiler } from './serializer.ts';
import type { App } from './types.ts';
import { answerBadPath, answerUnreadable } from './unreadable.ts';
import { wantsDoor } from './upgrade.ts';
import { compileValidatorLate } from './validator.ts';

/** The largest deploy body that can be right (50 keys of 8 KiB) with room to spare. */
const bodyBytesMax = 1024 * 1024;
/** A client that takes longer than this to send its request is holding a socket for nothing. */
const requestTimeoutMs = 30_000;
/** Longer than load balancers keep idle connections, so that they and not we close them. */
const keepAliveTimeoutMs = 72_000;

/** What a path names is looked for whatever its length, which the limit on headers bounds. */
const pathPartLengthMax = 16 * 1024;

/** A path as it may stand in the log: whoever knows a session's token is its user. */
const loggedPath = (url: string) => url.split('?', 1)[0]?.replace(/(\/session\/).+/, '$1[secret]');

/** Clients offer other protocols unasked, such as HTTP/2; they are served as if they hadn't. */
export const isUpgraded = (request: IncomingMessage): boolean =>
  request.headers.upgrade === consoleProtocol || wantsDoor(request);

/** Every dialect, in the order in which their documents are written. */
export const dialects: readonly Dialect[] = [
  fluenceDialect,
  hiveonDialect,
  bytemarkDialect,
  nativeDialect,
  agentDialect,
];

/**
 * What a browser that was led to an answer may do with it: show it as what it is, run nothing of it, and tell nobody where it was.
 * Pages have policies of their own.
 */
const headersOfAll = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** What the server is made of. */
export interface ServerParts {
  context: Context;
  logger: FastifyBaseLogger;
  metrics: Metrics;
  builtImages: BuiltImages;
}

/** A Fastify with the limits and checks that hold for every dialect, and no routes. */
export function bareServer(logger: FastifyBaseLogger | false, newRequestId: () => string): App {
  const app = Fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: true,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: newRequestId,
    requestIdHeader: false,
    routerOptions: { maxParamLength: pathPartLengthMax },
    http: { shouldUpgradeCallback: isUpgraded },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (_error, request, reply) => answerBadPath(request, reply),
  }) as unknown as App;
  readJsonBodies(app);
  app.setValidatorCompiler(compileValidatorLate);
  return app;
}

/** The whole server, ready to listen. */
export async function buildServer({ context, logger, metrics, builtImages }: ServerParts): Promise<App> {
  const app = bareServer(logger, () => newUuid(context.entropy));
  app.setSerializerCompiler(await lateSerializerCompiler());
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headersOfAll).header('request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      requestId: request.id,
      method: request.method,
      path: loggedPath(request.url),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    if (reply.statusCode === 500) request.log.error(line, 'request');
    else request.log.debug(line, 'request');
  });
  countRequests(app, metrics);
  app.setNotFoundHandler((request, reply) => {
    return reply.code(404).send({ error: noSuchPath(request).message });
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = asBerthError(thrown, request);
    return reply.code(errorTable[error.code].status).send({ error: error.message });
  });
  healthRoutes(app, context);
  metricsRoutes(app, metrics);
  await builtImageRoutes(app, builtImages);
  await pages(app);
  for (const dialect of dialects) await app.register((scope) => dialect.plugin(scope as App, { context }));
  return app;
}
