// What is the same for every operation is said in the document once: shapes by their names, the headers of answers, problems as
// problems. And every answer gets an example, put together from those of its parts.

import { STATUS_CODES } from 'node:http';
import { errorTable } from '../../model/errors.ts';
import { ProblemSchema, problemType } from './error.ts';
import { exampleOf } from './example.ts';
import { sampleId } from './id.ts';
import { kindOfParam } from './param.ts';

type Json = Record<string, unknown>;

const responseHeaders = {
  'Request-Id': { description: 'What to tell the operator when something went wrong', schema: { type: 'string' } },
  'RateLimit-Policy': {
    description: 'How many requests the caller has (`q`) in a window of so many seconds (`w`)',
    schema: { type: 'string', examples: ['"requests";q=12000;w=60'] },
  },
  RateLimit: {
    description: 'How many of them are left (`r`), and in how many seconds the window begins anew (`t`)',
    schema: { type: 'string', examples: ['"requests";r=11999;t=60'] },
  },
};
const headerRefs = Object.fromEntries(
  Object.keys(responseHeaders).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);
const retryAfterHeader = { description: 'Seconds until it may be tried again', schema: { type: 'integer' } };
const etagHeader = { description: 'The tag of what is shown', schema: { type: 'string' } };

/** Finishes the document that the routes came to. */
export function finishDocument(document: object): object {
  const finished = structuredClone(document) as Json & {
    paths: Record<string, Record<string, Json>>;
    components: Json;
  };
  const schemas: Record<string, unknown> = {};
  const responses = refusalsOf(finished.paths);
  for (const operations of Object.values(finished.paths)) {
    for (const operation of Object.values(operations)) finishOperation(operation);
  }
  hoist(structuredClone(ProblemSchema), schemas);
  finished.paths = hoist(finished.paths, schemas) as typeof finished.paths;
  finished.components = {
    ...finished.components,
    headers: responseHeaders,
    responses,
    schemas: Object.fromEntries(Object.entries(schemas).sort(([one], [other]) => (one < other ? -1 : 1))),
  };
  return finished;
}

function finishOperation(operation: Json): void {
  const example = (operation['x-example'] ?? {}) as { params?: Json; query?: Json; body?: unknown };
  delete operation['x-example'];
  for (const parameter of (operation.parameters ?? []) as Json[]) {
    const name = String(parameter.name);
    const given = parameter.in === 'path' ? (example.params?.[name] ?? sampleOfParam(name)) : example.query?.[name];
    if (given !== undefined) parameter.example = given;
  }
  const content = (operation.requestBody as { content?: Record<string, Json> } | undefined)?.content;
  const json = content?.['application/json'];
  if (json) json.example = example.body ?? exampleOf(json.schema as Json);
  const responses = operation.responses as Record<string, Json>;
  for (const [status, response] of Object.entries(responses)) {
    if (Number(status) >= 400) responses[status] = { $ref: `#/components/responses/${nameOfStatus(Number(status))}` };
    // What is upgraded is no answer any more, and tells nothing of rates.
    else if (status !== '101') finishAnswer(response);
  }
}

/** `404` as `NotFound`. */
const nameOfStatus = (status: number): string => (STATUS_CODES[status] ?? `Status${status}`).replaceAll(' ', '');

function refusalsOf(paths: Record<string, Record<string, Json>>): Json {
  const operations = Object.values(paths).flatMap((of) => Object.values(of));
  const statuses = operations.flatMap(({ responses }) => Object.keys(responses as Json)).map(Number);
  const refused = [...new Set(statuses)].filter((status) => status >= 400).sort((one, other) => one - other);
  return Object.fromEntries(
    refused.map((status) => {
      const schema = { $ref: '#/components/schemas/Problem' };
      const content = { [problemType]: { schema } };
      const codes = codesOf(status);
      const named = codes.map((code) => `\`${code}\``).join(', ');
      const description = `${STATUS_CODES[status] ?? 'Error'}: ${named}`;
      return [nameOfStatus(status), { description, headers: headersOf(status), content, 'x-codes': codes }];
    }),
  );
}

/** The codes of the problems that have a status. */
const codesOf = (status: number) =>
  Object.entries(errorTable).flatMap(([code, error]) => (error.status === status ? [code] : []));

const headersOf = (status: number) =>
  status === 429 || status === 503 ? { ...headerRefs, 'Retry-After': retryAfterHeader } : headerRefs;

function finishAnswer(response: Json): void {
  const json = (response.content as Record<string, Json> | undefined)?.['application/json'];
  response.headers = { ...headerRefs, ...(json ? { ETag: etagHeader } : {}) };
  if (response.description === 'Default Response') response.description = json ? 'As asked' : 'Done';
  if (json) json.example = exampleOf(json.schema as Json);
}

const sampleOfParam = (name: string): string | undefined => {
  const kind = kindOfParam(name);
  return kind ? sampleId(kind) : undefined;
};

/** Puts every schema that has a name among the document's own, and refers to it where it stood. */
function hoist(node: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(node)) return node.map((part) => hoist(part, schemas));
  if (node === null || typeof node !== 'object') return node;
  const object = node as Json;
  // What an example says is no schema, whatever it looks like.
  const parts = Object.entries(object).map(([key, value]) => [
    key,
    key === 'example' || key === 'examples' ? value : hoist(value, schemas),
  ]);
  const whole = Object.fromEntries(parts) as Json;
  if (typeof object.title !== 'string' || object.type !== 'object') return whole;
  const text = JSON.stringify(whole);
  const known = schemas[object.title];
  if (known !== undefined && JSON.stringify(known) !== text) throw new Error(`Two schemas are named ${object.title}.`);
  schemas[object.title] = whole;
  return { $ref: `#/components/schemas/${object.title}` };
}
