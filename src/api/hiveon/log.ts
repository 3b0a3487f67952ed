// Hiveon's dialect of logs: an answer in one piece, or lines of JSON for as long as the container speaks. (Our own completion
// of the API; a followed answer has the form of grpc-gateway's streams.)

import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { followLogs, readLogs } from '../../app/log.ts';
import { type LogLine, logLinesDefault, logLinesMax, parseSince } from '../../model/log.ts';
import { asBerthError } from '../failure.ts';
import type { Api } from '../types.ts';
import { hiveonError } from './error.ts';

/** Well below the idle time-outs of common proxies (60 s). */
const keepAliveMs = 15_000;

const LogsQuery = Type.Object({
  tail: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: logLinesMax,
      default: logLinesDefault,
      description: 'The last so many lines; of very long ones, as many as 4 MiB hold',
    }),
  ),
  since: Type.Optional(
    Type.String({
      description: 'Only from then on: 2026-01-31T12:00:00Z, seconds since 1970, or a span back from now such as 10m',
    }),
  ),
  follow: Type.Optional(Type.Boolean({ default: false, description: 'Goes on until the container has ended' })),
  source: Type.Optional(
    Type.Enum(['container', 'system'], {
      default: 'container',
      description: "The container's own output, or what was noted about it",
    }),
  ),
});

const LineSchema = Type.Object({
  timestamp: Type.String(),
  stream: Type.Enum(['stdout', 'stderr', 'system']),
  line: Type.String(),
});

const LogsAnswer = {
  description: 'The lines, at once or one by one',
  content: {
    'application/json': {
      schema: Type.Object({ lines: Type.Array(LineSchema), next_page_token: Type.String() }),
    },
    // Of each line; the answer itself is no JSON.
    'application/x-ndjson': { schema: Type.Unsafe<Readable>(Type.Object({ result: LineSchema })) },
  },
};

/** Adds the route. */
export function logRoutes({ app, context, principalOf, errors }: Api): void {
  app.get(
    '/vendors/v1/machines/deployments/:id/logs',
    {
      // A `HEAD` would follow a log that nobody reads.
      exposeHeadRoute: false,
      schema: {
        operationId: 'readDeploymentLogs',
        summary: 'What a deployment has said, oldest line first',
        description:
          'With `follow`, the answer is application/x-ndjson: a line `{"result": {"timestamp", "stream", "line"}}` for each line ' +
          'as it comes, and `{"error": {"code", "message"}}` where it breaks off. White space before a line only keeps the ' +
          'connection alive. The last line, of stream `system`, says that the container has ended.',
        params: Type.Object({ id: Type.String() }),
        querystring: LogsQuery,
        response: { 200: LogsAnswer, ...errors(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tail = logLinesDefault, since = '', follow, source = 'container' } = request.query;
      const asked = { source, tail, since: parseSince(since, context.clock.now(), 'since') };
      const { id } = request.params;
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      if (!follow) {
        return { lines: await readLogs(context, principalOf(request), id, asked, gone.signal), next_page_token: '' };
      }
      const batches = followLogs(context, principalOf(request), id, asked, gone.signal);
      // What is wrong before anything was read is answered with a status of its own.
      const first = await batches.next();
      reply.headers({
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
        // Proxies that gather an answer before they pass it on let this one through.
        'x-accel-buffering': 'no',
      });
      return reply.send(Readable.from(linesOfJson(first, batches, request), { objectMode: false }));
    },
  );
}

/**
 * Lines of JSON. What keeps the connection alive is a space before the line that comes next, which every reader of JSON
 * passes over; an empty line would be an error to those that parse each line.
 */
async function* linesOfJson(
  first: IteratorResult<LogLine[]>,
  batches: AsyncGenerator<LogLine[]>,
  request: FastifyRequest,
): AsyncGenerator<string> {
  // The first goes out at once, so that the reader has an answer.
  let quietSinceMs = Number.NEGATIVE_INFINITY;
  try {
    for (let step = first; !step.done; step = await batches.next()) {
      const text = step.value.map((result) => lineOfJson({ result })).join('');
      if (text === '' && performance.now() - quietSinceMs < keepAliveMs) continue;
      yield text || ' ';
      quietSinceMs = performance.now();
    }
  } catch (thrown) {
    const { code, message } = hiveonError(asBerthError(thrown, request)).body as { code: number; message: string };
    yield lineOfJson({ error: { code, message } });
  } finally {
    await batches.return(undefined);
  }
}

const lineOfJson = (value: object) => `${JSON.stringify(value)}\n`;
