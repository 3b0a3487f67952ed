// Bodies as protobuf's JSON readers take them: of any content type, empty where nothing is to be said, with names in either
// spelling. (Hiveon API: conventions.)

import type { FastifyRequest } from 'fastify';
import { parseJsonBody } from '../json-body.ts';
import type { App } from '../types.ts';

/** Fields that hold the customer's own names, which are left as they are. */
const maps: ReadonlySet<string> = new Set(['metadata', 'environment_variables']);

/** Reads every body in this scope so. Only a `POST` says anything in its body. */
export function readProtoJson(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, async ({ method }: FastifyRequest, text: string | Buffer) => {
    return method !== 'POST' || String(text).trim() === '' ? {} : snakeCased(parseJsonBody(String(text)));
  });
  app.addHook('onRequest', async ({ raw }) => {
    // All bodies are JSON; Fastify would look for a parser of the type, and refuse what is none.
    delete raw.headers['content-type'];
  });
  app.addHook('preValidation', async (request) => {
    // Where no body was sent, nothing was read.
    if (request.method === 'POST') request.body ??= {};
  });
}

/** Writes `machineId` as `machine_id`, in all objects but the customer's own. */
function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const name = /^[a-z][A-Za-z]*$/.test(key) ? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : key;
      return [name, maps.has(name) ? part : snakeCased(part)];
    }),
  );
}
