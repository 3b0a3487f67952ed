// The `Idempotency-Key` header, which every dialect reads alike.

import type { FastifyRequest } from 'fastify';
import { BerthError, shown } from '../model/errors.ts';

const keyPattern = /^[\x21-\x7e]{1,255}$/;

/**
 * The request's idempotency key, or undefined when it has none.
 * @throws BerthError `invalid_value` when there is one that can't be
 */
export function readIdempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && keyPattern.test(key)) return key;
  const message = `Idempotency-Key is ${shown(key)}; it must be 1 to 255 printable characters without spaces.`;
  throw new BerthError('invalid_value', message, 'Idempotency-Key');
}
