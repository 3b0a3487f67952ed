// How requests are held against their schemas. Bodies are taken as they were sent: `"2"` is not 2. Query strings are all
// text, so there numbers are read out of it. Verbose, so that a message can show the value at fault.

import { Ajv, type Options } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

const options: Options = { removeAdditional: false, useDefaults: true, allErrors: false, verbose: true, strict: false };
const asSent = new Ajv({ ...options, coerceTypes: false });
const fromText = new Ajv({ ...options, coerceTypes: true });

/** Fastify's validator compiler for every route. */
export const compileValidator: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? asSent : fromText).compile(schema);
