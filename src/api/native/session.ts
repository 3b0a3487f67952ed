// Sessions: logging in and out, where one is logged in, and acting as somebody else. A token is shown once, in the answer to its
// login or in its cookie.

import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import {
  currentSession,
  endSession,
  impersonate,
  listOwnSessions,
  openSession,
  ownSession,
  type SessionRow,
} from '../../app/session.ts';
import { factors, validitySecondsMax } from '../../model/session.ts';
import type { Api } from '../types.ts';
import { cookieAway, cookieWith, requireNoOtherSite } from './cookie.ts';
import { Id, readId, sampleId, toId } from './id.ts';
import { add, change, read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime } from './shape.ts';
import { toUserRef, UserName, UserRefSchema, userBy } from './user-ref.ts';

const fields = {
  id: Id('session'),
  user: UserRefSchema,
  factors: Type.Array(OneOf(factors), { description: 'What was shown to open it' }),
  authenticatedAt: Time('When that was'),
  expiresAt: Time('When it ends; each use puts that off, up to 30 days after `authenticatedAt`'),
  fromAddress: Nullable(Text('192.0.2.7', 'Where it was opened')),
  userAgent: Nullable(Text('Mozilla/5.0', 'The program that opened it')),
};
const SessionSchema = Shape('Session', {
  ...fields,
  current: Type.Boolean({ description: 'Whether it is the one that this request came in', examples: [true] }),
});
const sampleToken = 'session_Jc1iZQJ9bGkLQqjZk0Jx0c1yE7ZV1mYb0m9G3sVbX2Q';
const tokenHint = 'To be sent as `Authorization: Bearer`; not shown again';
const LoginSchema = Shape('Login', {
  ...fields,
  token: Type.Optional(Text(sampleToken, `${tokenHint}. Left out where it is in a cookie`)),
});
const ImpersonationSchema = Shape('Impersonation', { ...fields, token: Text(sampleToken, tokenHint) });

const toFields = (row: SessionRow) => ({
  id: toId('session', row.id),
  user: toUserRef({ id: row.userId, username: row.username }),
  factors: row.factors,
  authenticatedAt: toTime(row.authenticatedAt),
  expiresAt: toTime(row.expiresAt),
  fromAddress: row.fromAddress,
  userAgent: row.userAgent,
});
const toSession = (row: SessionRow, { sessionId }: Caller): Static<typeof SessionSchema> => ({
  ...toFields(row),
  current: row.id === sessionId,
});

const originOf = ({ ip, headers }: FastifyRequest) => ({ from: ip, userAgent: headers['user-agent'] });

/** Adds the routes. */
export function sessionRoutes(api: Api): void {
  loginRoute(api);
  readingRoutes(api);
  endingRoutes(api);
  impersonationRoute(api);
}

const NewSession = Shape('NewSession', {
  username: Text('ann', undefined, { minLength: 1 }),
  password: Text('correct horse battery staple', undefined, { minLength: 1 }),
  code: Type.Optional(Text('492039', 'Of the second factor, where the user has one')),
  validitySeconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: validitySecondsMax,
      default: validitySecondsMax,
      description: 'How long it lasts unused',
      examples: [validitySecondsMax],
    }),
  ),
  cookie: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Whether the token is to be in a cookie that no script can read, and not in the body',
      examples: [false],
    }),
  ),
});

/** Not as one transaction: what failed is to be counted. */
function loginRoute(api: Api): void {
  add(
    api,
    {
      id: 'createSession',
      tag: 'sessions',
      summary: 'Log in',
      description: [
        'Refused with `bad_credentials`, or with `second_factor_needed` where the password is right and a code is missing. After',
        'some failures each further attempt has to wait.',
      ].join(' '),
      path: '/sessions',
      isPublic: true,
      refusals: ['bad_credentials', 'second_factor_needed', 'cross_site'],
      example: { body: { username: 'ann', password: 'correct horse battery staple' } },
    },
    {
      method: 'POST',
      headers: {},
      query: {},
      body: NewSession,
      answers: { 201: LoginSchema },
      handler: async (request, reply) => {
        const given = request.body as Static<typeof NewSession>;
        const { username, password, code, validitySeconds, cookie } = given;
        if (cookie) requireNoOtherSite(request);
        const secondFactor = code === undefined ? undefined : { name: '2fa' as const, code };
        const credentials = { username, password, secondFactor };
        const opened = await openSession(api.context, credentials, validitySeconds, originOf(request));
        reply.code(201).header('cache-control', 'no-store');
        if (!cookie) return { ...toFields(opened), token: opened.token };
        reply.headers(cookieWith(opened.token, request));
        return toFields(opened);
      },
    },
  );
}

function readingRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listSessions',
      tag: 'sessions',
      summary: 'Where you are logged in, the newest first',
      description: 'Keys have no sessions, and see none.',
      path: '/sessions',
      query: pageQuery,
      result: PageOf('SessionPage', SessionSchema),
    },
    async ({ context, caller, query }) =>
      pageOfAll(
        await listOwnSessions(context, caller),
        query,
        ({ id }) => id,
        (row) => toSession(row, caller),
      ),
  );
  read(
    api,
    {
      id: 'getCurrentSession',
      tag: 'sessions',
      summary: 'The session that you are in',
      path: '/sessions/current',
      isForUsers: true,
      result: SessionSchema,
    },
    async ({ context, caller }) => toSession(await currentSession(context, caller), caller),
  );
  read(
    api,
    {
      id: 'getSession',
      tag: 'sessions',
      summary: 'One of your sessions',
      path: '/sessions/{session}',
      isForUsers: true,
      result: SessionSchema,
    },
    async ({ context, caller, params }) => sessionOf(context, caller, params),
  );
}

const sessionOf = async (context: Context, caller: Caller, { session }: { session: string }) =>
  toSession(await ownSession(context, caller, readId('session', session)), caller);

function endingRoutes(api: Api): void {
  const parts = { tag: 'sessions', method: 'DELETE', isForUsers: true, status: 204, result: Type.Null() } as const;
  change(
    api,
    {
      ...{ ...parts, id: 'deleteCurrentSession', path: '/sessions/current' },
      summary: 'Log out',
      // Of two at once, the second.
      refusals: ['not_found'],
      headers: ({ request }) => cookieAway(request),
      current: async ({ context, caller }) => toSession(await currentSession(context, caller), caller),
    },
    async ({ context, caller }) => {
      await endSession(context, caller, (await currentSession(context, caller)).id);
      return null;
    },
  );
  change(
    api,
    {
      ...{ ...parts, id: 'deleteSession', path: '/sessions/{session}' },
      summary: 'Log out somewhere else: end one of your sessions',
      current: async ({ context, caller, params }) => sessionOf(context, caller, params),
    },
    async ({ context, caller, params }) => {
      await endSession(context, caller, readId('session', params.session));
      return null;
    },
  );
}

function impersonationRoute(api: Api): void {
  change(
    api,
    {
      id: 'createImpersonation',
      tag: 'sessions',
      summary: 'Act as another user, in a session of his',
      description: 'For who runs the whole, in a session of his own, and as one who holds less of it than himself.',
      method: 'POST',
      path: '/sessions/impersonations',
      body: Shape('NewImpersonation', { user: UserName() }),
      example: { body: { user: sampleId('user') } },
      isForOperators: true,
      status: 201,
      result: ImpersonationSchema,
      hasSecret: true,
      headers: () => ({ 'cache-control': 'no-store' }),
      renames: { username: 'user' },
      refusals: ['not_found'],
    },
    async ({ context, caller, body, request }) => {
      requireCluster(caller);
      const session = await currentSession(context, caller);
      const opened = await impersonate(context, session, userBy(body.user), originOf(request));
      return { ...toFields(opened), token: opened.token };
    },
  );
}
