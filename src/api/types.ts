// What a dialect's routes are given.

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { TSchema } from 'typebox';
import type { Principal } from '../app/authenticate.ts';
import type { Context } from '../app/context.ts';

/** Fastify with TypeBox's types. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What a dialect's routes are given. */
export interface Api {
  app: App;
  context: Context;
  /** Who the request acts for. */
  principalOf(request: FastifyRequest): Principal;
  /** The dialect's error body for each of these statuses, for a route's `response`. */
  errors(...statuses: number[]): Record<number, TSchema>;
}
