// How an operation of Berth's own API is written down: once, for the route, for its document and for what holds of every
// operation. What only reads is tagged. What changes anything is one transaction, with idempotency keys, conditions and dry runs.

import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import Type, { type Static, type TObject, type TSchema } from 'typebox';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { type Answer, once } from '../../app/once.ts';
import { canonicalJson } from '../../model/canonical-json.ts';
import type { Door } from '../../model/door.ts';
import { BerthError, type ErrorCode, errorTable } from '../../model/errors.ts';
import { requireStorable } from '../../model/storable.ts';
import { noSuchPath } from '../failure.ts';
import { readIdempotencyKey } from '../idempotency.ts';
import type { Api } from '../types.ts';
import { repeatsOf } from './caller.ts';
import { addVary } from './cors.ts';
import { etagOf, namesTag, requireTag, tagOf } from './etag.ts';
import { codesOf, codesOfChange } from './refusal.ts';

/** Where this API is. */
export const base = '/berth/v1';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set where nobody has to say who he is. */
    isPublic?: boolean;
    /** Set where a WebSocket is opened, also with a ticket. */
    door?: Door;
  }
  interface FastifyRequest {
    /** Who sends the request; null where it is for everybody. */
    caller: Caller | null;
  }
}

type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [Key in Name]: string } & ParamsOf<Rest>
  : unknown;

/** What an operation is given. */
export interface Ask<Path extends string, Query, Body> {
  /** Of a change: in its transaction. */
  context: Context;
  caller: Caller;
  params: ParamsOf<Path>;
  query: Query;
  body: Body;
  request: FastifyRequest;
}

type QueryShape = Record<string, TSchema>;

/** What every operation says of itself. */
export interface OperationParts<Path extends string, Query extends QueryShape, Result extends TSchema> {
  /** Its `operationId`, such as `listGroups`. */
  id: string;
  /** The noun that it belongs to, in the plural. */
  tag: string;
  summary: string;
  description?: string;
  /** Below {@link base}, such as `/groups/{group}`. */
  path: Path;
  query?: Query;
  result: Result;
  /** Codes of its own refusals, beside those that every operation of its kind has ({@link codesOf}, {@link codesOfChange}). */
  refusals?: readonly ErrorCode[];
  /** Set where nobody has to say who he is. */
  isPublic?: true;
  /** Whether it is for who runs the whole. */
  isForOperators?: true;
  /** Whether it is for somebody in a session of his own, and for no account's key. */
  isForUsers?: true;
  /** Set where a WebSocket is opened. */
  door?: Door;
  /** What a right request looks like, where the examples of its schemas do not add up to one. */
  example?: { params?: Record<string, string>; query?: Record<string, unknown>; body?: unknown };
}

/** What an operation that reads says of itself beside that. */
export interface ReadParts<Path extends string, Query extends QueryShape, Result extends TSchema>
  extends OperationParts<Path, Query, Result> {
  /** The same for spreadsheets, for who sends `Accept: text/csv`. */
  csv?: (ask: Ask<Path, StaticOf<Query>, undefined>) => Promise<string>;
}

/** What a change says of itself beside that. */
export interface ChangeParts<
  Path extends string,
  Query extends QueryShape,
  Body extends TSchema,
  Result extends TSchema,
  Prepared,
> extends OperationParts<Path, Query, Result> {
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: Body;
  /** 200 unless said otherwise; 204 has no body. */
  status?: 200 | 201 | 202 | 204;
  /** Where what was made is found, below {@link base}. */
  location?: (result: Static<Result>) => string;
  /** Headers of the answer beside those that every answer has. */
  headers?: (ask: Ask<Path, StaticOf<Query>, Static<Body>>) => Record<string, string>;
  /** Whether the answer shows a secret that is kept nowhere. */
  hasSecret?: true;
  /** What `GET` shows of what is changed, which `If-Match` is held against. */
  current?: (ask: Ask<Path, StaticOf<Query>, Static<Body>>) => Promise<unknown>;
  /**
   * What has to be looked at or made ready and takes a while, before the transaction begins. What it finds wrong is told within,
   * so that a repeat is answered as the first sending was.
   * @returns what the change is given
   */
  before?: (ask: Ask<Path, StaticOf<Query>, Static<Body>>) => Promise<Prepared>;
  /** How fields are called here that the use case names otherwise in its refusals. */
  renames?: Record<string, string>;
}

type StaticOf<Query extends QueryShape> = Static<TObject<Query>>;

/** Adds an operation that reads. What it shows has an `ETag`, and `If-None-Match` saves sending it again. */
export function read<Path extends string, Result extends TSchema, Query extends QueryShape = Record<never, never>>(
  api: Api,
  parts: ReadParts<Path, Query, Result>,
  handle: (ask: Ask<Path, StaticOf<Query>, undefined>) => Promise<Static<Result>>,
): void {
  const { result, csv, query = {} } = parts;
  add(api, parts, {
    method: 'GET',
    headers: {
      'if-none-match': Type.Optional(Type.String({ maxLength: 1_000, description: 'The ETag that is known' })),
    },
    query,
    answers: { 200: csv ? inBothTypes(result) : result },
    handler: async (request, reply) => {
      const ask = askOf<Ask<Path, StaticOf<Query>, undefined>>(api.context, request);
      const isCsv = csv !== undefined && wantsCsv(request);
      const shown = isCsv ? await csv(ask) : await handle(ask);
      // A list may be long: it is written once, and tagged as it is written. A tag that a change is held against is of what is shown.
      const isWritten = 'cursor' in query && !isCsv;
      const body = isWritten ? reply.serialize(shown) : shown;
      const tag = isWritten ? tagOf(body as string) : etagOf(body);
      reply.header('etag', tag);
      if (isWritten) reply.type('application/json; charset=utf-8');
      if (csv) addVary(reply, 'Accept').type(isCsv ? csvType : 'application/json');
      const known = request.headers['if-none-match'];
      return known !== undefined && namesTag(known, tag) ? reply.code(304).send() : body;
    },
  });
}

const csvType = 'text/csv; charset=utf-8';

const wantsCsv = ({ headers: { accept = '' } }: FastifyRequest) => /^\s*text\/csv\b/i.test(accept);

/** The schema of an answer that is there as JSON and as CSV. */
const inBothTypes = (result: TSchema) =>
  ({
    description: 'As asked',
    content: {
      'application/json': { schema: result },
      'text/csv': { schema: Type.String({ examples: ['at,kind\n2026-11-20T09:30:00.000Z,credit\n'] }) },
    },
  }) as unknown as TSchema;

/**
 * Adds an operation that changes something, as one transaction: with `Idempotency-Key` it is done once however often it is sent,
 * with `If-Match` only to what the caller has seen, with `dryRun` not at all.
 */
export function change<
  Path extends string,
  Result extends TSchema,
  Body extends TSchema = TSchema,
  Query extends QueryShape = Record<never, never>,
  Prepared = undefined,
>(
  api: Api,
  parts: ChangeParts<Path, Query, Body, Result, Prepared>,
  handle: (ask: Ask<Path, StaticOf<Query>, Static<Body>>, prepared: Prepared) => Promise<Static<Result>>,
): void {
  const { id, method, body, result, status = 200, location, current, before, refusals = [] } = parts;
  const said = { ...parts, refusals: [...codesOfChange(current !== undefined), ...refusals] };
  add(api, said, {
    method,
    headers: {
      'idempotency-key': Type.Optional(
        Type.String({ maxLength: 255, description: 'The same request under the same key is done once, for 24 hours' }),
      ),
      ...(current
        ? {
            'if-match': Type.Optional(
              Type.String({ maxLength: 1_000, description: 'The ETag of what is to be changed' }),
            ),
          }
        : {}),
    },
    query: {
      ...parts.query,
      dryRun: Type.Optional(
        Type.Boolean({
          default: false,
          description: 'Answers as if it were done, and does nothing',
          examples: [false],
        }),
      ),
    },
    ...(body ? { body } : {}),
    answers: { [status]: result },
    handler: async (request, reply) => {
      const isDryRun = (request.query as { dryRun?: boolean }).dryRun === true;
      const ifMatch = request.headers['if-match'];
      if (!current && ifMatch !== undefined) throw noCondition(id);
      const digest = api.context.vault.digest(canonicalJson([method, request.url, request.body ?? null]));
      const asked = {
        caller: repeatsOf(callerOf(request)),
        idempotencyKey: readIdempotencyKey(request),
        ...{ digest, isDryRun, isConditional: ifMatch !== undefined, isSecret: parts.hasSecret === true },
      };
      const ready = await before?.(askOf(api.context, request)).then(
        (prepared) => ({ prepared }),
        (error: unknown) => ({ error }),
      );
      const answer = await once(api.context, asked, async (inside): Promise<Answer> => {
        const ask = askOf<Ask<Path, StaticOf<Query>, Static<Body>>>(inside, request);
        if (current && ifMatch !== undefined) requireTag(ifMatch, await current(ask));
        if (ready && 'error' in ready) throw ready.error;
        const done = await handle(ask, ready?.prepared as Prepared);
        const headers = {
          ...(location ? { location: base + location(done) } : {}),
          ...parts.headers?.(ask),
          ...(status === 204 ? {} : { etag: etagOf(done) }),
        };
        return { status, headers, body: done ?? null };
      });
      reply.code(answer.status).headers(answer.headers);
      if (answer.isRepeat) reply.header('idempotent-replayed', 'true');
      if (isDryRun) reply.header('dry-run', 'true');
      return answer.status === 204 ? reply.send() : answer.body;
    },
  });
}

/** What is to be changed only as it was seen is better not changed than changed anyway. */
const noCondition = (id: string) =>
  new BerthError('unsupported', `${id} changes nothing that has an ETag; leave out If-Match.`, 'If-Match');

interface Route {
  method: string;
  headers: Record<string, TSchema>;
  query: QueryShape;
  body?: TSchema;
  /** What it answers when all is well, by status. */
  answers: Record<number, unknown>;
  /** Set where the answer goes on for as long as somebody reads: a `HEAD` would have nobody who does. */
  isEndless?: true;
  handler(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
}

/** Adds an operation that is none of the two: one that does not end, or that may leave something behind when it refuses. */
export function add(
  { app, errors }: Api,
  parts: Omit<OperationParts<string, QueryShape, TSchema>, 'result'> & { renames?: Record<string, string> },
  route: Route,
): void {
  const { id, tag, summary, description, path, isPublic, isForOperators, isForUsers, door, example, renames } = parts;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const { method, headers, query, body, answers, isEndless, handler } = route;
  const codes = codesOf({ ...parts, method, query });
  const options: RouteOptions = {
    method,
    url: base + path.replace(/\{(\w+)\}/g, ':$1'),
    ...(isEndless ? { exposeHeadRoute: false } : {}),
    config: { ...(isPublic ? { isPublic } : {}), ...(door ? { door } : {}), ...(renames ? { renames } : {}) },
    schema: {
      operationId: id,
      tags: [tag],
      summary,
      ...(description ? { description } : {}),
      ...(isPublic ? { security: [] } : {}),
      ...(names.length > 0
        ? { params: Type.Object(Object.fromEntries(names.map((name) => [name, Type.String({ maxLength: 200 })]))) }
        : {}),
      querystring: Type.Object(query, { additionalProperties: false }),
      headers: Type.Object(headers),
      ...(body ? { body } : {}),
      response: { ...answers, ...errors(...codes.map((code) => errorTable[code].status)) },
      'x-refusals': codes,
      ...(isForOperators ? { 'x-for-operators': true } : {}),
      ...(isForUsers ? { 'x-for-users': true } : {}),
      ...(door ? { 'x-websocket': true } : {}),
      ...(example ? { 'x-example': example } : {}),
    } as RouteOptions['schema'] & object,
    handler: ((request: FastifyRequest, reply: FastifyReply) => {
      const { params, query, body } = request;
      // The slash at the end of a list's path leads to one of it that has no name.
      if (names.some((name) => (params as Record<string, string>)[name] === '')) throw noSuchPath(request);
      for (const part of [params, query, body]) requireStorable(part, '');
      return handler(request, reply);
    }) as never,
  };
  app.route(options as never);
}

function askOf<Given extends Ask<string, unknown, unknown>>(context: Context, request: FastifyRequest): Given {
  const { params, query, body } = request;
  const caller = request.caller ?? nobody;
  return { context, caller, params, query, body, request } as unknown as Given;
}

/** Who asks what is for everybody. */
const nobody: Caller = { actor: 'nobody', grants: [], user: null, apiKeyId: null };

/** Who asks. */
export function callerOf({ caller }: FastifyRequest): Caller {
  return caller ?? nobody;
}
