// Bytemark's calls of users' API keys. A key's secret is in the answer to its making, and in no other.

import Type, { type Static } from 'typebox';
import { createUserKey, listUserKeys, removeUserKey, type UserKey } from '../../app/user-api-key.ts';
import { reachUser } from '../../app/user-directory.ts';
import { BerthError, InvalidFields } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { PrivilegeSchema, toPrivilege } from './privilege-shape.ts';
import { isOverview, ViewSchema } from './query.ts';
import { IdSchema, Nullable } from './shape.ts';

const ApiKeySchema = Type.Object({
  id: IdSchema,
  user_id: IdSchema,
  username: Type.String(),
  label: Type.String(),
  expires_at: Nullable(Type.String()),
  privileges: Type.Optional(Type.Array(PrivilegeSchema)),
});
const NewApiKeySchema = Type.Object({ ...ApiKeySchema.properties, api_key: Type.String() });

function toApiKey(key: UserKey, withPrivileges: boolean): Static<typeof ApiKeySchema> {
  return {
    ...{ id: Number(key.number), user_id: Number(key.userNumber), username: key.username, label: key.label },
    expires_at: key.expiresAt && formatMoment(key.expiresAt),
    ...(withPrivileges ? { privileges: key.privileges.map(toPrivilege) } : {}),
  };
}

/** Adds the routes. */
export function apiKeyRoutes({ app, context, errors }: Api): void {
  app.get(
    '/api_keys',
    {
      schema: {
        operationId: 'listApiKeys',
        summary: "One's own API keys, the oldest first",
        querystring: ViewSchema,
        response: { 200: Type.Array(ApiKeySchema), ...errors(401) },
      },
    },
    async (request) => {
      const keys = await listUserKeys(context, await callerOf(context, request));
      return keys.map((key) => toApiKey(key, isOverview(request.query)));
    },
  );

  app.post(
    '/api_keys',
    {
      schema: {
        operationId: 'createApiKey',
        summary: 'Make an API key, which may do nothing until it is granted something',
        body: Type.Object({
          user_id: Type.Optional(Type.Unknown({ description: 'Number or name; oneself unless given' })),
          label: Type.Optional(Type.Unknown({ description: 'Text' })),
          expires_at: Type.Optional(Type.Unknown({ description: 'A moment in ISO 8601, or a time of day' })),
        }),
        response: { 200: NewApiKeySchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { label, expiresAt, user: ref } = readKey(attributesOf(request.body), context.clock.now());
      const user = await reachUser(context, caller, ref ?? caller.user?.username ?? '').catch((error: Error) => {
        if (!(error instanceof BerthError && error.code === 'not_found')) throw error;
        throw new InvalidFields({ user_id: [ref === undefined ? "can't be blank" : 'is invalid'] });
      });
      const { secret, ...key } = await createUserKey(context, caller, user, { label, expiresAt });
      return { ...toApiKey(key, true), api_key: secret };
    },
  );

  app.delete(
    '/api_keys/:key',
    {
      schema: {
        operationId: 'deleteApiKey',
        summary: 'Remove an API key, which ends it at once',
        params: Type.Object({ key: Type.String({ description: 'Number' }) }),
        response: { 204: Type.Null(), ...errors(401, 403, 404) },
      },
    },
    async (request, reply) => {
      await removeUserKey(context, await callerOf(context, request), request.params.key);
      return reply.code(204).send(null);
    },
  );
}

function readKey(attributes: Attributes, now: Date) {
  const label = attributes.filledText('label');
  const user = attributes.filledText('user_id');
  const text = attributes.filledText('expires_at');
  const expiresAt = text === undefined ? null : parseMoment(text, now);
  const faults = {
    ...attributes.faults,
    ...(label === undefined && !attributes.faults.label ? { label: ["can't be blank"] } : {}),
    ...(expiresAt === undefined ? { expires_at: ['is invalid'] } : {}),
  };
  if (label === undefined || expiresAt === undefined || Object.keys(faults).length > 0) throw new InvalidFields(faults);
  return { label, user, expiresAt };
}

/** As clients read it: with an offset in digits, which is how the Go client tells that a key has expired. */
const formatMoment = (moment: Date) => moment.toISOString().replace(/\.\d+Z$/, '+0000');

/**
 * Reads `2027-01-31T12:00:00Z`, its offset also as `+0100` or `-600`, or a time of day, of which the next is meant.
 * @returns undefined when it is no moment
 */
function parseMoment(text: string, now: Date): Date | undefined {
  const time = /^\d\d:\d\d(:\d\d)?$/.test(text);
  if (time) {
    const today = new Date(`${now.toISOString().slice(0, 10)}T${text}Z`);
    if (Number.isNaN(today.getTime())) return undefined;
    return today > now ? today : new Date(today.getTime() + 24 * 60 * 60 * 1000);
  }
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|UTC|[+-]\d{1,2}:?\d\d)?)?$/.exec(
    text,
  );
  if (!parts) return undefined;
  const [, day = '', clock = '00:00', offset = 'Z'] = parts;
  const [, sign = '', hours = '', minutes = ''] = /^([+-])(\d{1,2}):?(\d\d)$/.exec(offset) ?? [];
  const zone = sign === '' ? 'Z' : `${sign}${hours.padStart(2, '0')}:${minutes}`;
  const moment = new Date(`${day}T${clock}${zone}`);
  const isReal = !Number.isNaN(moment.getTime()) && new Date(`${day}T00:00Z`).toISOString().startsWith(day);
  return isReal ? moment : undefined;
}
