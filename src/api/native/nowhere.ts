// What is asked for below `/berth/v1` and is not there is answered as a problem, to whoever asks; and where something is there for
// other methods, which they are.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { BerthError } from '../../model/errors.ts';
import { noSuchPath } from '../failure.ts';
import type { Api, App } from '../types.ts';
import { answerPreflight } from './cors.ts';
import { base } from './operation.ts';

interface Place {
  pattern: RegExp;
  methods: string[];
}

const places = new WeakMap<App, Place[]>();

/** Notes what is there, before anything is. */
export function notePlaces(app: App): void {
  const noted: Place[] = [];
  places.set(app, noted);
  app.addHook('onRoute', ({ method, url, schema }) => {
    if (schema?.hide) return;
    const parts = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:\w+/g, '[^/]+');
    noted.push({ pattern: new RegExp(`^${parts}$`), methods: [method].flat() });
  });
}

/** Adds the route that leads nowhere. */
export function nowhereRoutes({ app }: Api): void {
  const answer = (request: FastifyRequest, reply: FastifyReply) => {
    const { method } = request;
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = methodsAt(app, path);
    if (methods.length === 0) throw noSuchPath(request);
    reply.header('allow', methods.join(', '));
    if (method === 'OPTIONS') {
      answerPreflight(request, reply, methods);
      return reply.code(204).send();
    }
    throw new BerthError('method_not_allowed', `${path} takes ${methods.join(', ')}, and not ${method}.`);
  };
  for (const url of [base, `${base}/*`]) {
    app.all(url, { schema: { hide: true }, config: { isPublic: true }, handler: answer as never });
  }
}

function methodsAt(app: App, path: string): string[] {
  const here = (places.get(app) ?? []).filter(({ pattern }) => pattern.test(path));
  const methods = [...new Set(here.flatMap((place) => place.methods))].sort();
  return methods.length === 0 ? [] : [...methods, 'OPTIONS'];
}
