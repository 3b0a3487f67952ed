// Bodies as protobuf's JSON readers take them: of any content type, empty where nothing is to be said, with names in either
// spelling. (Hiveon API: conventions.)

import type { FastifyRequest } from 'fastify';
import { parseJsonBody } from '../json-body.ts';
import type { App } from '../types.ts';

/** Fields that hold the customer's own names, which are left as they are. */
const maps: ReadonlySet<string> = new Set(['metadata', 'environment_variables']);

/** Reads every body in this scope so. */
export function readProtoJson(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: FastifyRequest, text: string | Buffer) => {
    return String(text).trim() === '' ? {} : snakeCased(parseJsonBody(String(text)));
  });
  app.addHook('preValidation', async (request) => {
    // Without a content type and a body nothing was read.
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
