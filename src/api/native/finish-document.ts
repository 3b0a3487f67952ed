// What is the same for every operation is said in the document once: shapes by their names, the headers of answers, problems as
// problems. And every answer gets an example, put together from those of its parts.

import { STATUS_CODES } from 'node:http';
import { type ErrorCode, errorTable } from '../../model/errors.ts';
import { ProblemSchema, problemType } from './error.ts';
import { exampleOf } from './example.ts';
import { sampleId } from './id.ts';
import { kindOfParam } from './param.ts';
import { sampleProblem } from './refusal.ts';

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
  const refusals: Json = {};
  const codes = new Set<ErrorCode>();
  for (const operations of Object.values(finished.paths)) {
    for (const operation of Object.values(operations)) {
      for (const code of operation['x-refusals'] as ErrorCode[]) codes.add(code);
      finishOperation(operation, refusals);
    }
  }
  hoist(structuredClone(ProblemSchema), schemas);
  finished.paths = hoist(finished.paths, schemas) as typeof finished.paths;
  finished.components = {
    ...finished.components,
    headers: responseHeaders,
    examples: Object.fromEntries([...codes].sort().map((code) => [code, { value: sampleProblem(code) }])),
    responses: sorted(refusals),
    schemas: sorted(schemas),
  };
  return finished;
}

function finishOperation(operation: Json, refusals: Json): void {
  const codes = operation['x-refusals'] as ErrorCode[];
  delete operation['x-refusals'];
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
    if (Number(status) >= 400) responses[status] = refusalOf(Number(status), codes, refusals);
    // What is upgraded is no answer any more, and tells nothing of rates.
    else if (status !== '101') finishAnswer(response);
  }
}

const sorted = (named: Json): Json =>
  Object.fromEntries(Object.entries(named).sort(([one], [other]) => (one < other ? -1 : 1)));

/** What an operation is answered with a status of refusals: its codes of that status, said once for all operations that have the same. */
function refusalOf(status: number, codes: readonly ErrorCode[], refusals: Json): Json {
  const here = codes.filter((code) => errorTable[code].status === status);
  const all = Object.values(errorTable).filter((error) => error.status === status);
  const words = STATUS_CODES[status] ?? `Status ${status}`;
  // `NotFound`, or `Conflict-name_taken` where there are others of that status.
  const name = [words.replaceAll(' ', ''), ...(here.length < all.length ? here : [])].join('-');
  refusals[name] ??= {
    description: `${words}: ${here.map((code) => `\`${code}\``).join(', ')}`,
    headers: headersOf(status),
    content: {
      [problemType]: {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { type: 'object', properties: { code: { type: 'string', enum: here } } },
          ],
        },
        examples: Object.fromEntries(here.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
  return { $ref: `#/components/responses/${name}` };
}

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
