// The document of Berth's own API as tests walk it: every operation with its example, and what an answer has to look like.

import { Ajv2020 } from 'ajv/dist/2020.js';
import { openApiDocuments } from '../../../src/api/openapi.ts';

/** An operation of the document. */
export interface Operation {
  id: string;
  method: string;
  /** With `{instance}` and the like in it. */
  path: string;
  isPublic: boolean;
  isForOperators: boolean;
  /** Whether it is for somebody in a session of his own. */
  isForUsers: boolean;
  /** Whether it is a WebSocket. */
  opensDoor: boolean;
  /** Whether it changes anything, or lets somebody in who may. */
  changes: boolean;
  /** What it answers with, where that is no JSON and does not end. */
  streams: string | null;
  example: { params: Record<string, string>; query: Record<string, unknown>; body: unknown };
  statuses: number[];
  /** The codes of the problems that it is answered with. */
  codes: string[];
  /** The names of what it takes in the query, and in its head. */
  queries: string[];
  headers: string[];
}

interface Parameter {
  name: string;
  in: string;
  example?: unknown;
}
interface Documented {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { example?: unknown }> };
  responses: Record<string, { $ref?: string; content?: Record<string, unknown> }>;
  security?: unknown[];
  'x-for-operators'?: boolean;
  'x-for-users'?: boolean;
  'x-websocket'?: boolean;
}

interface Refusal {
  description: string;
  content: {
    'application/problem+json': {
      schema: { allOf: { properties?: { code: { enum: string[] } } }[] };
      examples: Record<string, object>;
    };
  };
}

const text = (await openApiDocuments()).get('native.json') ?? '';
/** The document itself. */
export const document = JSON.parse(text) as {
  paths: Record<string, Record<string, Documented>>;
  components: { responses: Record<string, Refusal> };
};

/** Every operation. */
export const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, documented]) => {
    const { parameters = [], requestBody } = documented;
    const examples = (place: string) =>
      Object.fromEntries(
        parameters.filter((one) => one.in === place && one.example !== undefined).map((one) => [one.name, one.example]),
      );
    return {
      id: documented.operationId,
      ...{ method: method.toUpperCase(), path },
      isPublic: documented.security?.length === 0,
      isForOperators: documented['x-for-operators'] === true,
      isForUsers: documented['x-for-users'] === true,
      opensDoor: documented['x-websocket'] === true,
      changes: method !== 'get' || documented['x-websocket'] === true,
      streams: streamTypeOf(documented),
      example: {
        params: examples('path') as Record<string, string>,
        query: examples('query'),
        body: requestBody?.content['application/json']?.example,
      },
      statuses: Object.keys(documented.responses).map(Number),
      codes: Object.values(documented.responses).flatMap(({ $ref }) => ($ref ? codesOf($ref) : [])),
      queries: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
      headers: parameters.filter((one) => one.in === 'header').map(({ name }) => name),
    };
  }),
);

/** Where the schema of a refusal is. @param response such as `#/components/responses/NotFound` */
const problemSchema = (response: string) => `${response}/content/application~1problem+json/schema`;

/** The codes that it has. */
function codesOf(response: string): string[] {
  const { content } = document.components.responses[response.split('/').at(-1) ?? ''] ?? {};
  return (
    content?.['application/problem+json'].schema.allOf.flatMap(({ properties }) => properties?.code.enum ?? []) ?? []
  );
}

function streamTypeOf({ responses }: Documented): string | null {
  const types = Object.keys(responses['200']?.content ?? {});
  return types.includes('application/json') ? null : (types[0] ?? null);
}

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(document as object, 'document');

const pointer = (...parts: string[]) => parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');

/** What of an answer is not as documented; null where all of it is. */
export function faultsOf({ method, path }: Operation, status: number, body: unknown): string | null {
  const { $ref } = document.paths[path]?.[method.toLowerCase()]?.responses[status] ?? {};
  const good = pointer('paths', path, method.toLowerCase(), 'responses', `${status}`, 'content', 'application/json');
  const problem = $ref ? problemSchema($ref) : '#/components/schemas/Problem';
  const reference = `document${status < 400 ? `#/${good}/schema` : problem}`;
  const check = ajv.getSchema(reference) ?? ajv.compile({ $ref: reference });
  return check(body) ? null : ajv.errorsText(check.errors);
}
