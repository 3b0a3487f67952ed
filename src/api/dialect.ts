// What makes a dialect: routes, a way to read the caller's key, and an error shape. Each is a Fastify plugin of its own
// scope, so that nothing of one reaches another.

import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { TSchema } from 'typebox';
import { authenticateKey, type Principal } from '../app/authenticate.ts';
import type { Context } from '../app/context.ts';
import { BerthError } from '../model/errors.ts';
import { asBerthError } from './failure.ts';
import type { Api, App } from './types.ts';

/** The parts of a dialect. */
export interface DialectParts {
  name: string;
  document: Partial<OpenAPIV3_1.Document>;
  errorSchema: TSchema;
  toError(error: BerthError, request: FastifyRequest): { status: number; body: object };
  /** The type that errors are served as; JSON unless said otherwise. */
  errorType?: string;
  /** Finds the API key in a request's headers; null where requests are authenticated by the routes themselves. */
  readKey: ((headers: IncomingHttpHeaders) => string | undefined) | null;
  /** What has to be there before the routes. */
  prepare?(app: App, context: Context): Promise<void>;
  /** Finishes the document that the routes come to. */
  finishDocument?(document: object): object;
  routes: readonly ((api: Api) => void)[];
}

/** A dialect, ready to be registered. */
export interface Dialect {
  name: string;
  plugin(app: App, options: { context: Context }): Promise<void>;
}

/** Makes a dialect of its parts. */
export function defineDialect(parts: DialectParts): Dialect {
  const { name, readKey, toError, errorSchema, finishDocument } = parts;
  return {
    name,
    async plugin(app, { context }) {
      const scope = app.withTypeProvider<TypeBoxTypeProvider>();
      await scope.register(swagger, {
        openapi: parts.document as never,
        ...(finishDocument
          ? { transformObject: (given) => finishDocument('openapiObject' in given ? given.openapiObject : {}) as never }
          : {}),
      });
      // What is somebody's own is kept by no cache between, and not on the disk of a browser.
      scope.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'no-store');
      });
      await parts.prepare?.(scope, context);
      const principals = new WeakMap<FastifyRequest, Principal>();
      if (readKey) {
        scope.addHook('onRequest', async (request) => {
          const principal = await authenticateKey(context, readKey(request.headers));
          if (principal.scope === 'read-only') requireReading(request);
          principals.set(request, principal);
        });
      }
      scope.setErrorHandler((thrown, request, reply) => {
        const error = asBerthError(thrown, request);
        const { status, body } = toError(error, request);
        if ((status === 429 || status === 503) && !reply.hasHeader('retry-after')) reply.header('retry-after', '1');
        if (parts.errorType) reply.type(parts.errorType);
        return reply.code(status).send(body);
      });
      const api: Api = {
        app: scope,
        context,
        principalOf(request) {
          const principal = principals.get(request);
          if (!principal) throw new BerthError('unauthenticated', 'There is no such API key.');
          return principal;
        },
        errors: (...statuses) =>
          Object.fromEntries(
            statuses.map((status) => [status, { ...errorSchema, description: STATUS_CODES[status] ?? 'Error' }]),
          ),
      };
      for (const addRoutes of parts.routes) addRoutes(api);
    },
  };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set where a route only reads though its method is one that writes. */
    reads?: boolean;
  }
}

/** @throws BerthError `forbidden` where a request would change anything */
function requireReading(request: FastifyRequest): void {
  const { method, routeOptions } = request;
  if (method === 'GET' || method === 'HEAD' || routeOptions.config.reads) return;
  // As the document writes it: `/deployments/{id}`.
  const path = routeOptions.url?.replace(/:(\w+)/g, '{$1}');
  const message = `This API key may only read; ${method} ${path} needs one with full access.`;
  throw new BerthError('forbidden', message);
}
