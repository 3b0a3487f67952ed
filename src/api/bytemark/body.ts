// How requests are read here. Clients name JSON as the type of bodies that they don't send, and write path segments as forms
// write fields, with `+` for a space. What comes along with a deletion is passed over.

import type { FastifyRequest } from 'fastify';
import { BerthError } from '../../model/errors.ts';
import { storable } from '../../model/storable.ts';
import { parseJsonBody } from '../json-body.ts';
import type { Api } from '../types.ts';

/** The original's own answers were of such types, and some clients send back what they were sent. */
const jsonTypes = /^application\/(vnd\.bigv\.[\w.-]+\+)?json(;|$)/;

/** Reads requests of this dialect so. */
export function readRequests({ app }: Api): void {
  app.removeAllContentTypeParsers();
  const asText = { parseAs: 'string' } as const;
  app.addHook('onRequest', async ({ method, raw }) => {
    if (method === 'DELETE') delete raw.headers['content-type'];
  });
  app.addContentTypeParser(jsonTypes, asText, async (_request: FastifyRequest, text: string | Buffer) =>
    String(text).trim() === '' ? {} : parseJsonBody(String(text)),
  );
  app.addContentTypeParser('*', asText, async ({ method }: FastifyRequest) => {
    if (method === 'DELETE') return {};
    const message = 'The body must be JSON, with Content-Type: application/json.';
    throw new BerthError('unsupported_media_type', message);
  });
  app.addHook('preValidation', async (request) => {
    const [path = ''] = request.url.split('?', 1);
    if (path.includes('+')) request.params = spacedParams(request.routeOptions.url ?? '', path);
    // What no text in the database can hold finds nothing there.
    request.params = storable(request.params);
    request.query = storable(lastOfEach(request.query as Record<string, string | string[]>));
  });
}

/** The parameters of a path in which `+` is a space. */
function spacedParams(pattern: string, path: string): Record<string, string> {
  const segments = path.split('/');
  return Object.fromEntries(
    pattern
      .split('/')
      .map((name, index) => [name, segments[index] ?? ''] as const)
      .filter(([name]) => name.startsWith(':'))
      .map(([name, segment]) => [name.slice(1), decodeURIComponent(segment.replaceAll('+', ' '))]),
  );
}

/** A query in which what is said twice is what was said last. */
const lastOfEach = (query: Record<string, string | string[]>) =>
  Object.fromEntries(Object.entries(query).map(([key, value]) => [key, [value].flat().at(-1)]));
