// What a host sends of a container's output, to whoever reads it. An answer that comes late slows the host down.

import Type from 'typebox';
import { acceptBatch } from '../../app/stream.ts';
import type { Api } from '../types.ts';
import { hostOf } from './authenticate.ts';
import { StreamAnswerSchema, StreamBatchSchema, streamBatchBytesMax } from './contract/stream.ts';

/** What surrounds the lines of a batch, and a last line that went over the edge, find room in this. */
const batchBytesMax = 2 * streamBatchBytesMax;

/** Adds the route. */
export function streamRoutes({ app, context, errors }: Api): void {
  app.post(
    '/agent/v1/streams/:id',
    {
      bodyLimit: batchBytesMax,
      schema: {
        operationId: 'sendStream',
        summary: "A part of a container's output, for whoever reads it",
        params: Type.Object({ id: Type.String() }),
        body: StreamBatchSchema,
        response: { 200: StreamAnswerSchema, ...errors(400, 401) },
      },
    },
    async (request, reply) => {
      const hostId = await hostOf(context, request);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return acceptBatch(context, hostId, request.params.id, request.body, gone.signal);
    },
  );
}
