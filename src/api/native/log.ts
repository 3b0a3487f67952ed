// What an instance has said: a container's output and what was noted about any instance, at once or line by line as it is said.

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { followInstanceLogs, reachLogs, readInstanceLogs } from '../../app/log.ts';
import { type LogLine, logLinesDefault, logLinesMax, parseSince } from '../../model/log.ts';
import { asBerthError } from '../failure.ts';
import type { Api } from '../types.ts';
import { authenticate } from './caller.ts';
import { etagOf } from './etag.ts';
import { readInstance } from './instance-ref.ts';
import { add, callerOf } from './operation.ts';
import { OneOf, Shape, Text, Whole } from './shape.ts';

/** Well below the idle time-outs of common proxies (60 s). */
const keepAliveMs = 15_000;
/** Whoever may no longer read is told nothing more after this and the time that the look itself takes. */
const checkEveryMs = 20_000;

const LineSchema = Shape('LogLine', {
  timestamp: Text('2026-11-20T09:30:00.123456789Z'),
  stream: OneOf(['stdout', 'stderr', 'system']),
  line: Text('listening on :80'),
});
const sources = ['system', 'container'] as const;

interface Query {
  tail?: number;
  since?: string;
  source?: (typeof sources)[number];
  follow?: boolean;
}

/** Adds the route. */
export function logRoutes(api: Api): void {
  const { context } = api;
  add(
    api,
    {
      id: 'getLogs',
      tag: 'instances',
      summary: 'What an instance has said, the oldest line first',
      description: [
        'With `follow`, the answer is application/x-ndjson: a line of JSON for each line as it is said, and `{"error": {"code",',
        '"detail"}}` where it breaks off. White space before a line only keeps the connection alive. The last line, of stream',
        '`system`, says that the instance has ended.',
      ].join(' '),
      path: '/instances/{instance}/logs',
      refusals: ['unsupported'],
    },
    {
      method: 'GET',
      headers: {},
      query: {
        tail: Type.Optional(
          Whole(
            100,
            `The last so many lines, ${logLinesDefault} unless given; of very long ones, as many as 4 MiB hold`,
            {
              minimum: 0,
              maximum: logLinesMax,
            },
          ),
        ),
        since: Type.Optional(
          Text('10m', 'Only from then on: a time, seconds since 1970, or a span back from now', { maxLength: 100 }),
        ),
        source: Type.Optional(
          OneOf(sources, "What was noted about an instance, which is told of a VM, or a container's output"),
        ),
        follow: Type.Optional(
          Type.Boolean({ default: false, description: 'Goes on until the instance has ended', examples: [false] }),
        ),
      },
      answers: {
        200: {
          description: 'The lines, at once or one by one',
          content: {
            'application/json': { schema: Shape('Logs', { items: Type.Array(LineSchema) }) },
            // Of each line; the answer itself is no JSON.
            'application/x-ndjson': { schema: Type.Unsafe<Readable>(LineSchema) },
          },
        },
      },
      isEndless: true,
      handler: async (request, reply) => {
        const { tail = logLinesDefault, since = '', source, follow } = request.query as Query;
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const { instance: ref } = request.params as { instance: string };
        const id = readInstance(ref);
        const instance = await reachLogs(context, callerOf(request), id, ref);
        const asked = {
          source: source ?? (instance.kind === 'container' ? 'container' : 'system'),
          ...{ tail, since: parseSince(since, context.clock.now(), 'since') },
        };
        if (!follow) {
          const body = { items: await readInstanceLogs(context, instance, asked, gone.signal) };
          reply.header('etag', etagOf(body));
          return body;
        }
        const check = async () => {
          await reachLogs(context, await authenticate(context, request), id, ref);
        };
        return tell(reply, request, followInstanceLogs(context, instance, asked, gone.signal), check);
      },
    },
  );
}

async function tell(
  reply: FastifyReply,
  request: FastifyRequest,
  batches: AsyncGenerator<LogLine[]>,
  check: () => Promise<void>,
): Promise<FastifyReply> {
  // What is wrong before anything was read is answered with a status of its own.
  const first = await batches.next();
  reply.headers({
    'content-type': 'application/x-ndjson',
    'cache-control': 'no-store',
    // Proxies that gather an answer before they pass it on let this one through.
    'x-accel-buffering': 'no',
  });
  return reply.send(Readable.from(linesOf(first, batches, check, request), { objectMode: false }));
}

/**
 * Lines of JSON. What keeps the connection alive is a space before the line that comes next, which every reader of JSON passes
 * over; an empty line would be an error to those that parse each line.
 */
async function* linesOf(
  first: IteratorResult<LogLine[]>,
  batches: AsyncGenerator<LogLine[]>,
  check: () => Promise<void>,
  request: FastifyRequest,
): AsyncGenerator<string> {
  // The first goes out at once, so that the reader has an answer.
  let quietSinceMs = Number.NEGATIVE_INFINITY;
  let checkedAtMs = performance.now();
  try {
    for (let step = first; !step.done; step = await batches.next()) {
      if (performance.now() - checkedAtMs > checkEveryMs) {
        await check();
        checkedAtMs = performance.now();
      }
      const text = step.value.map(lineOf).join('');
      if (text === '' && performance.now() - quietSinceMs < keepAliveMs) continue;
      yield text || ' ';
      quietSinceMs = performance.now();
    }
  } catch (thrown) {
    const { code, message } = asBerthError(thrown, request);
    yield lineOf({ error: { code, detail: message } });
  } finally {
    await batches.return(undefined);
  }
}

const lineOf = (value: object) => `${JSON.stringify(value)}\n`;
