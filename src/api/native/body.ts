// Bodies of Berth's own API, where more clients meet than at a dialect: what takes no body takes an empty one, too, and says so of
// any other; and what nobody unpacks is refused.

import type { FastifyRequest } from 'fastify';
import { BerthError } from '../../model/errors.ts';
import { parseJsonBody } from '../json-body.ts';
import type { App } from '../types.ts';

/** Reads the bodies. */
export function readOwnBodies(app: App): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (request: FastifyRequest, text: unknown) => {
      const { schema, url } = request.routeOptions;
      requirePlain(request);
      if (schema?.body !== undefined || schema?.hide) return parseJsonBody(String(text));
      if (String(text).trim() === '') return undefined;
      const given = parseJsonBody(String(text));
      if (given === null || (typeof given === 'object' && Object.keys(given).length === 0)) return undefined;
      const path = url?.replace(/:(\w+)/g, '{$1}');
      throw new BerthError(
        'malformed',
        `${request.method} ${path} takes no body; what it takes is in its path and query.`,
      );
    },
  );
}

/** Clients that pack what they send are few, and what unpacks to more than was sent is a way to bring a server down. */
function requirePlain({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding'];
  if (coding === undefined || coding === 'identity') return;
  throw new BerthError('unsupported_media_type', `Content-Encoding is ${coding.slice(0, 50)}; send the body as it is.`);
}
