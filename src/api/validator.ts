// How requests are held against their schemas. Bodies are taken as they were sent: `"2"` is not 2. Query strings are all
// text, so there numbers are read out of it. Verbose, so that a message can show the value at fault.

import { Ajv, type Options, type ValidateFunction } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

type Compiler = FastifySchemaCompiler<object>;

const options: Options = { removeAdditional: false, useDefaults: true, allErrors: false, verbose: true, strict: false };
const asSent = new Ajv({ ...options, coerceTypes: false });
const fromText = new Ajv({ ...options, coerceTypes: true });

/** Compiles a schema at once. @throws Error where it is none */
export const compileValidator = ({ schema, httpPart }: Parameters<Compiler>[0]): ValidateFunction =>
  (httpPart === 'body' ? asSent : fromText).compile(schema);

/**
 * Fastify's validator compiler for every route: compiles when the first request comes. Of a thousand schemas a server needs a few
 * at a time, and compiling all of them made it start a second later. A test compiles every one.
 */
export const compileValidatorLate: Compiler = (route) => {
  let compiled: ValidateFunction | undefined;
  const validate: ReturnType<Compiler> = (data) => {
    compiled ??= compileValidator(route);
    const isValid = compiled(data);
    validate.errors = (compiled.errors ?? null) as NonNullable<typeof validate.errors> | null;
    return isValid;
  };
  return validate;
};
