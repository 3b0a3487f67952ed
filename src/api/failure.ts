// Turns whatever was thrown while a request was served into one of Berth's errors, and logs what was not foreseen.

import type { FastifyRequest, FastifySchemaValidationError } from 'fastify';
import { BerthError, type ErrorCode, shown } from '../model/errors.ts';
import { usdPattern } from '../model/money.ts';
import { isReferenceGone, isUnavailable } from '../store/database.ts';

/** What Fastify itself refuses, by status. */
const ofFastify: Record<number, { code: ErrorCode; message: string }> = {
  400: { code: 'malformed', message: "The request can't be read." },
  404: { code: 'not_found', message: 'There is no such path.' },
  413: { code: 'payload_too_large', message: 'The body is larger than this call takes.' },
  415: { code: 'unsupported_media_type', message: 'The body must be JSON, with Content-Type: application/json.' },
};

/** A request that is not of its schema's shape. */
export class Misshapen extends BerthError {
  /** The part of the request that the subject stands in: `body`, `querystring`, `params` or `headers`. */
  readonly part: string | undefined;

  constructor(message: string, subject: string | undefined, part: string | undefined) {
    super('malformed', message, subject);
    this.part = part;
  }
}

/** One of Berth's errors for anything thrown. What was not foreseen is logged in full and told as `internal`. */
export function asBerthError(thrown: unknown, request: FastifyRequest): BerthError {
  if (thrown instanceof BerthError) return thrown;
  if (thrown instanceof Error) {
    const { validation, validationContext, statusCode } = thrown as {
      validation?: (FastifySchemaValidationError & { data?: unknown })[];
      validationContext?: string;
      statusCode?: number;
    };
    if (validation) {
      const message = validationMessage(validation, validationContext);
      return new Misshapen(message, pathOf(validation[0]), validationContext);
    }
    const refused = statusCode === undefined ? undefined : ofFastify[statusCode];
    if (refused) return new BerthError(refused.code, refused.message);
    if (isReferenceGone(thrown)) {
      return new BerthError('not_found', 'Something that this request names was removed at this moment.');
    }
    if (isUnavailable(thrown)) {
      request.log.warn({ err: thrown }, 'the database is out of reach');
      return new BerthError('unavailable', 'The service is starting or out of reach of its database; try again.');
    }
  }
  request.log.error({ err: thrown }, 'request failed unexpectedly');
  return new BerthError('internal', `Something went wrong on our side; the request id is ${request.id}.`);
}

/** How much of a path that leads nowhere is repeated to who asked for it. */
const shownPathMax = 200;

/** The error for a request to where nothing is. */
export function noSuchPath({ method, url }: FastifyRequest): BerthError {
  const path = url.split('?', 1)[0] ?? '';
  const shownPath = path.length > shownPathMax ? `${path.slice(0, shownPathMax)}…` : path;
  const hint = /[^/]\/+$/.test(path) ? '; leave out the slash at its end' : '';
  return new BerthError('not_found', `There is no ${method} ${shownPath}${hint}.`);
}

function validationMessage(
  errors: readonly (FastifySchemaValidationError & { data?: unknown })[],
  where = 'body',
): string {
  const [first] = errors;
  if (!first) return 'The request is not of the documented shape.';
  const path = dotted(first.instancePath);
  if (first.keyword === 'additionalProperties') return unknownMessage(first, path, where);
  const what = first.keyword === 'required' ? '' : ` (it is ${shown(first.data)})`;
  return `${path || `The ${where}`} ${ruleOf(first)}${what}.`;
}

/** What would be right, in words: Ajv names regular expressions, and of lists only that there is one. */
function ruleOf({ keyword, params, message = 'is not as documented' }: FastifySchemaValidationError): string {
  const { pattern = '', allowedValues = [] } = params as { pattern?: string; allowedValues?: unknown[] };
  if (keyword === 'pattern') return patternRules[pattern] ?? message;
  if (keyword === 'enum')
    return `must be ${allowedValues.length > 1 ? 'one of ' : ''}${allowedValues.map(String).join(', ')}`;
  // A field that may be null has two types, which Ajv lists as `integer,null`.
  return message.replace(/^(must be \w+),null$/, '$1 or null');
}

/** What a text has to be that matches a pattern of the schemas. */
export const patternRules: Record<string, string> = {
  [usdPattern]: 'must be an amount of US dollars with at most six decimals, such as "1.50"',
};

/** What a part of a request has that is not taken there, and what is. */
function unknownMessage(error: FastifySchemaValidationError, path: string, where: string): string {
  const { additionalProperty } = error.params as { additionalProperty?: string };
  const { parentSchema } = error as { parentSchema?: { properties?: Record<string, unknown> } };
  const known = Object.keys(parentSchema?.properties ?? {}).sort();
  const place = path || `The ${where === 'querystring' ? 'query' : where}`;
  const taken = known.length === 0 ? 'it takes nothing' : `it takes ${known.join(', ')}`;
  return `${place} has ${shown(additionalProperty)}, which is not known there; ${taken}.`;
}

/** A key of a customer's own map may be of any length. */
const keyLengthMax = 100;

/** `/ports/0/protocol` as customers write it: `ports[0].protocol`. */
const dotted = (pointer: string) =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (part.length > keyLengthMax ? `${part.slice(0, keyLengthMax)}…` : part))
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');

/** The field at fault; one that is missing or not known has no place of its own. */
function pathOf(error: FastifySchemaValidationError | undefined): string | undefined {
  const { missingProperty, additionalProperty } = (error?.params ?? {}) as Record<string, string | undefined>;
  const unknown = additionalProperty?.slice(0, keyLengthMax);
  const path = [dotted(error?.instancePath ?? ''), missingProperty ?? unknown].filter(Boolean).join('.');
  return path || undefined;
}
