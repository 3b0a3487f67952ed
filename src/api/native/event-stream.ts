// The event feed as server-sent events: what happens is told when it happens, and a reader who was away goes on where he was.

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { reachAccount, requireCluster } from '../../app/access.ts';
import type { Context } from '../../app/context.ts';
import { instanceOf, placeOf } from '../../app/event.ts';
import { EventStreams, type FeedEvent, type StreamPiece, type StreamRequest } from '../../app/event-stream.ts';
import { checkKind } from '../../model/event-kind.ts';
import type { Api } from '../types.ts';
import { authenticate, ownerOf } from './caller.ts';
import { EventSchema, feedAccount, feedQuery, instanceRef, toEvent } from './event.ts';
import { add, callerOf } from './operation.ts';

/** Browsers come back after this long. */
const retryMs = 1_000;

interface Query {
  account?: string;
  instance?: string;
  cursor?: string;
  kind?: string;
  all?: boolean;
}

const answer = {
  description: 'Events, for as long as they are read',
  content: {
    'text/event-stream': {
      // Of the data of each; the answer itself is no JSON.
      schema: Type.Unsafe<Readable>(EventSchema),
    },
  },
};

/** Adds the route. */
export function eventStreamRoutes(api: Api): void {
  const { app, context } = api;
  const streams = new EventStreams(context);
  app.addHook('preClose', () => streams.close());
  add(
    api,
    {
      id: 'streamEvents',
      tag: 'events',
      summary: 'What happens in an account or to one instance, when it happens',
      description: [
        "Server-sent events: `id` is the event's cursor, `event` its kind, `data` the event. Begins with what happens from now on,",
        'or after `Last-Event-ID` or `cursor`, and then misses nothing. A comment at least every 15 s shows that the stream is',
        'alive, with an `id` to go on from. An event `end` says why the stream ends, as a problem: the key was revoked, or the',
        'server stops. Who reads too slowly is cut off.',
      ].join(' '),
      path: '/events/stream',
      refusals: ['forbidden'],
    },
    {
      method: 'GET',
      headers: {
        'last-event-id': Type.Optional(
          Type.String({ maxLength: 50, description: 'The `id` that came last; counts before `cursor`' }),
        ),
      },
      query: feedQuery,
      answers: { 200: answer },
      isEndless: true,
      handler: async (request, reply) => {
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        if (reply.raw.destroyed) gone.abort();
        const asked = await asStream(context, request, reply);
        const pieces = streams.read(asked, gone.signal);
        // What is wrong before anything was read is answered with a status of its own.
        const first = await pieces.next();
        reply.headers({
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          // Proxies that gather an answer before they pass it on let this one through.
          'x-accel-buffering': 'no',
        });
        return reply.send(Readable.from(framesOf(first, pieces), { objectMode: false }));
      },
    },
  );
}

/** What a request wants to read, as far as its sender may. */
async function asStream(context: Context, request: FastifyRequest, reply: FastifyReply): Promise<StreamRequest> {
  const caller = callerOf(request);
  const query = request.query as Query;
  const { instance, cursor, kind } = query;
  const last = request.headers['last-event-id'];
  // Browsers send an empty one before they have any.
  const [given, field] = typeof last === 'string' && last !== '' ? [last, 'Last-Event-ID'] : [cursor, 'cursor'];
  const accountId = await feedAccount(context, caller, query);
  return {
    filter: {
      accountId,
      instanceId: instance === undefined ? null : instanceOf(instanceRef(instance) ?? ''),
      kind: kind === undefined ? null : checkKind(kind, 'kind'),
    },
    after: given === undefined ? undefined : placeOf(given, field),
    field,
    caller: ownerOf(caller),
    async check() {
      const now = await authenticate(context, request);
      if (accountId === null) requireCluster(now);
      else await reachAccount(context, now, { id: accountId }, 'vm_console');
    },
    cut: () => reply.raw.destroy(),
  };
}

async function* framesOf(
  first: IteratorResult<StreamPiece>,
  pieces: AsyncGenerator<StreamPiece>,
): AsyncGenerator<string> {
  yield `retry: ${retryMs}\n`;
  try {
    for (let step = first; !step.done; step = await pieces.next()) yield textOf(step.value);
  } finally {
    await pieces.return(undefined);
  }
}

function textOf({ events, cursor, ending }: StreamPiece): string {
  if (ending) return `event: end\ndata: ${JSON.stringify({ code: ending.code, detail: ending.message })}\n\n`;
  // An `id` without data is no event for its reader, but where he goes on.
  return events.length > 0 ? events.map(frameOf).join('') : `:\nid: ${cursor}\n\n`;
}

const frames = new WeakMap<FeedEvent, string>();

/** An event on its way; made once for all who read it. */
function frameOf(event: FeedEvent): string {
  const known = frames.get(event);
  if (known !== undefined) return known;
  // What an agent calls its events is not ours to choose.
  const kind = event.kind.replaceAll(/[\r\n]/g, ' ');
  const frame = `id: ${event.cursor}\nevent: ${kind}\ndata: ${JSON.stringify(toEvent(event))}\n\n`;
  frames.set(event, frame);
  return frame;
}
