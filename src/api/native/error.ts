// Berth's own error shape: problem details (RFC 9457) with a stable code, and pointers to what was wrong.

import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { type BerthError, errorTable, type FieldFaults, InvalidFields } from '../../model/errors.ts';
import { Misshapen } from '../failure.ts';
import { faultInOwnWords, inOwnWords } from './own-words.ts';
import { OneOf, Shape, Text, Whole } from './shape.ts';
import { lastOfPath, withWrittenIds } from './written-id.ts';

/** What every problem is served as. */
export const problemType = 'application/problem+json';

const codes = Object.keys(errorTable) as (keyof typeof errorTable)[];

/** One fault of several. */
const FaultSchema = Shape('Fault', {
  detail: Text('name has already been taken'),
  pointer: Type.Optional(Text('#/name', 'The field of the body, as a JSON pointer')),
});

/** An error of this API. */
export const ProblemSchema = Shape('Problem', {
  type: Text('about:blank'),
  title: Text('Correct the named field and send the request again.', 'What can be done about it'),
  status: Whole(422),
  code: OneOf(codes, 'For programs; stays as it is'),
  detail: Text('name is "Web 1"; a name has letters, digits and "-".', 'What was wrong, with which value'),
  requestId: Text('8f2b6c1e-5f1d-4b4e-9d5a-0d2c1f3e4a5b', 'As the header Request-Id has it'),
  pointer: Type.Optional(Text('#/name', 'The field of the body at fault, as a JSON pointer')),
  parameter: Type.Optional(Text('limit', 'The part of the query, or the header, at fault')),
  subject: Type.Optional(Text('ins_3b1c', 'What the error is about, where it is no field')),
  errors: Type.Optional(Type.Array(FaultSchema, { description: 'All faults, where there are several' })),
});

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How fields are called here that a use case names otherwise in its refusals. */
    renames?: Record<string, string>;
  }
}

/** An error as Berth's own API answers it. */
export function nativeError(error: BerthError, request: FastifyRequest): { status: number; body: object } {
  const { status, advice } = errorTable[error.code];
  const head = { type: 'about:blank', title: advice, status, code: error.code };
  const tail = { requestId: request.id };
  if (error instanceof InvalidFields) {
    const errors = faultsOf(error.fields, request.routeOptions.config.renames ?? {}, '#');
    const [first] = errors;
    const detail = errors.map((one) => one.detail).join('; ');
    return {
      status,
      body: { ...head, detail: `${detail}.`, ...tail, ...(first ? { pointer: first.pointer } : {}), errors },
    };
  }
  const place = error instanceof Misshapen ? placeIn(error) : placeOf(subjectOf(error, request), request);
  return { status, body: { ...head, detail: detailOf(error, request), ...tail, ...place } };
}

/** The message; one that leaves it to its reader to put the field in front has it put there. */
function detailOf({ message: given, subject }: BerthError, request: FastifyRequest): string {
  const { routeOptions } = request;
  const message = withWrittenIds(inOwnWords(given), request);
  if (subject === undefined || !/^(is|are|has|must|can't) /.test(message)) return message;
  return `${routeOptions.config.renames?.[subject] ?? subject} ${message}.`;
}

function subjectOf({ code, subject }: BerthError, request: FastifyRequest): string | undefined {
  if (subject !== undefined) return withWrittenIds(subject, request);
  return code === 'not_found' ? lastOfPath(request) : undefined;
}

/** Where the subject of an error stands in its request, as far as it is a part of that. */
function placeOf(given: string | undefined, { routeOptions }: FastifyRequest): object {
  if (given === undefined) return {};
  const [first = '', ...rest] = given.replace(/\[(\d+)\]/g, '.$1').split('.');
  const { config, schema } = routeOptions;
  const name = config.renames?.[first] ?? first;
  const has = (part: unknown) => Object.hasOwn((part as { properties?: object } | undefined)?.properties ?? {}, name);
  if (has(schema?.body)) return { pointer: `#/${[name, ...rest].map(escapePart).join('/')}` };
  if (has(schema?.querystring)) return { parameter: name };
  if (/^[A-Z][a-z]+-[A-Z]/.test(given)) return { parameter: given };
  return { subject: given };
}

/** Where what is misshapen stands, which the schema may not know. */
function placeIn({ subject, part }: Misshapen): object {
  if (subject === undefined) return {};
  if (part !== 'body') return { parameter: subject };
  return {
    pointer: `#/${subject
      .replace(/\[(\d+)\]/g, '.$1')
      .split('.')
      .map(escapePart)
      .join('/')}`,
  };
}

const escapePart = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');

function faultsOf(
  faults: FieldFaults,
  renames: Record<string, string>,
  above: string,
): { detail: string; pointer: string }[] {
  return Object.entries(faults).flatMap(([field, list]) => {
    // What belongs to no field in one API belongs to the whole request in this one.
    const name = renames[field] ?? field;
    const pointer = field === 'base' ? above : `${above}/${escapePart(name)}`;
    return list.flatMap((fault: string | FieldFaults, index) =>
      typeof fault === 'string'
        ? [{ detail: `${field === 'base' ? 'the request' : name} ${faultInOwnWords(field, fault)}`, pointer }]
        : faultsOf(fault, renames, `${pointer}/${index}`),
    );
  });
}
