// Serves the OS images that Berth builds itself. The first request for one starts its build and is told to come again.

import staticFiles from '@fastify/static';
import { builtImagePath } from '../app/image.ts';
import { shown } from '../model/errors.ts';
import type { App } from './types.ts';

/** How a built image stands. */
export type BuiltImageState =
  | { state: 'ready'; file: string }
  | { state: 'building'; step: string }
  | { state: 'failed'; reason: string }
  | { state: 'unknown' };

/** Where built images come from. */
export interface BuiltImages {
  /** The folder that holds them. */
  directory: string;
  /** How the image with this file name stands; begins to build one that is known and not there. */
  request(file: string): Promise<BuiltImageState>;
}

const retryAfterSeconds = 2;

/** Adds the route. Ranges and conditional requests are answered as for any file. */
export async function builtImageRoutes(app: App, images: BuiltImages): Promise<void> {
  await app.register(staticFiles, { root: images.directory, serve: false, decorateReply: true });
  app.get<{ Params: { file: string } }>(`${builtImagePath}/:file`, async (request, reply) => {
    const image = await images.request(request.params.file);
    switch (image.state) {
      case 'ready':
        return reply.sendFile(image.file);
      case 'building':
        reply.header('retry-after', retryAfterSeconds);
        return reply.code(503).send({ status: 'building', step: image.step });
      case 'failed':
        return reply.code(424).send({ status: 'failed', error: image.reason });
      case 'unknown':
        return reply.code(404).send({ error: `There is no image ${shown(request.params.file)}.` });
    }
  });
}
