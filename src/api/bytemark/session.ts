// Bytemark's calls of sessions. A new one's token is the whole answer, and a refusal is a sentence that clients look for, both as
// bare text; the Python client sends its credentials as a form. (Bytemark API: auth.)

import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { impersonate, openSession, requireSession } from '../../app/session.ts';
import { BerthError } from '../../model/errors.ts';
import { asBerthError } from '../failure.ts';
import type { Api, App } from '../types.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { bytemarkError } from './error.ts';

const TokenParams = Type.Object({ token: Type.String() });
const SessionSchema = Type.Object({
  username: Type.String(),
  factors: Type.Array(Type.String()),
  group_memberships: Type.Array(Type.String()),
});
const Text = { description: 'Bare text', content: { 'text/plain': { schema: Type.String() } } };

/** What clients ask for again when they read it. */
const badlyFormed = 'Badly-formed parameters';

/** Adds the routes. */
export function sessionRoutes({ app, context, errors }: Api): void {
  app.register(async (scope: App) => {
    readForms(scope);
    scope.post(
      '/session',
      {
        errorHandler: answerInText,
        schema: {
          operationId: 'createSession',
          security: [],
          summary: 'Log in',
          description: 'Answers with the token of a session, to be sent as `Authorization: Bearer`.',
          body: Type.Object({
            username: Type.Optional(Type.Unknown({ description: 'Text' })),
            password: Type.Optional(Type.Unknown({ description: 'Text' })),
            '2fa': Type.Optional(Type.Unknown({ description: 'The code of a second factor, as text' })),
            yubikey: Type.Optional(Type.Unknown({ description: 'The same, as older clients call it' })),
            validity: Type.Optional(
              Type.Unknown({ description: 'Seconds that it lasts unused, as text; 300 unless given, 3600 at most' }),
            ),
          }),
          response: { 200: Text, 400: Text, 403: Text, 503: Text },
        },
      },
      async (request, reply) => {
        const { credentials, validity } = readLogin(attributesOf(request.body));
        reply.type('text/plain');
        return (await openSession(context, credentials, validity, originOf(request))).token;
      },
    );
  });
  app.get(
    '/session/:token',
    {
      schema: {
        operationId: 'getSession',
        security: [],
        summary: 'A session, whose end this puts off',
        params: TokenParams,
        response: { 200: SessionSchema, ...errors(404) },
      },
    },
    async (request) => {
      const { username, factors } = await requireSession(context, request.params.token);
      return { username, factors, group_memberships: [] };
    },
  );
  app.post(
    '/session/:token',
    {
      errorHandler: answerInText,
      schema: {
        operationId: 'impersonate',
        security: [],
        summary: 'Act as another user',
        description: 'For who runs the cluster. Answers with the token of a session of that user.',
        params: TokenParams,
        body: Type.Object({ username: Type.Optional(Type.Unknown({ description: 'Text' })) }),
        response: { 200: Text, 400: Text, 403: Text, 404: Text },
      },
    },
    async (request, reply) => {
      const attributes = attributesOf(request.body);
      const username = attributes.filledText('username');
      if (username === undefined) throw new BerthError('malformed', badlyFormed);
      reply.type('text/plain');
      const session = await requireSession(context, request.params.token);
      return (await impersonate(context, session, { username }, originOf(request))).token;
    },
  );
}

const originOf = ({ ip, headers }: FastifyRequest) => ({ from: ip, userAgent: headers['user-agent'] });

function readLogin(attributes: Attributes) {
  const username = attributes.filledText('username');
  const password = attributes.filledText('password');
  const yubikey = attributes.filledText('yubikey');
  const code = attributes.filledText('2fa');
  const validity = attributes.number('validity');
  const isReadable = Object.keys(attributes.faults).length === 0;
  if (username === undefined || password === undefined || !isReadable) throw new BerthError('malformed', badlyFormed);
  const secondFactor =
    code !== undefined
      ? { name: '2fa' as const, code }
      : yubikey !== undefined
        ? { name: 'yubikey' as const, code: yubikey }
        : undefined;
  return { credentials: { username, password, secondFactor }, validity };
}

/** Reads the bodies of HTML forms, besides JSON. */
function readForms(scope: App): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: unknown, text: string | Buffer) => Object.fromEntries(new URLSearchParams(String(text))),
  );
}

function answerInText(thrown: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = asBerthError(thrown, request);
  const { status } = bytemarkError(error);
  if (status === 503) reply.header('retry-after', '1');
  const isUnreadable = status === 400 && !error.message.startsWith(badlyFormed);
  reply
    .code(status)
    .type('text/plain')
    .send(isUnreadable ? `${badlyFormed}: ${error.message}` : error.message);
}
