// Generated requests: values that break things, ways to put one into a right body, bodies made from the documents' own
// schemas, and what any answer has to be. A run repeats from its seed.

import { type Agent, request as httpRequest } from 'node:http';
import { Ajv } from 'ajv';
import fc from 'fast-check';

/** Values that break things, each for a reason of its own. */
export const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    ' ',
    0,
    -0,
    -1,
    1.5,
    1e308,
    2 ** 31,
    2 ** 53,
    -(2 ** 63),
    '0',
    '\u0000',
    '\uD800',
    '\u202e',
    '%00',
    '../../etc/passwd',
    "'; drop table instance; --",
    'a'.repeat(70_000),
    [],
    {},
    [[]],
    [null],
    { length: 3 },
    { toString: 1 },
    { constructor: { prototype: 1 } },
    Array(2_000).fill('x'),
    Array(60).fill({ port: 1, protocol: 'tcp' }),
    `0x${'0'.repeat(40)}`,
  ),
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
);

/** Puts junk in one place of a value, or takes the place away, or adds one. */
export function bent(value: unknown, where: readonly number[], what: unknown, how: number): unknown {
  const [step = 0, ...rest] = where;
  if (value === null || typeof value !== 'object' || where.length === 0) return what;
  const entries = Object.entries(value);
  if (how === 1) entries.push([JSON.stringify(what).slice(0, 50), what]);
  else if (entries.length === 0) return what;
  else {
    const at = step % entries.length;
    const [key, part] = entries[at] ?? ['', null];
    if (how === 2 && rest.length === 0) entries.splice(at, 1);
    else entries[at] = [key, bent(part, rest, what, how)];
  }
  return Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
}

/** A body, or one that something was done to. */
export const maybeBent = (body: fc.Arbitrary<unknown>) =>
  fc
    .tuple(body, fc.option(fc.array(fc.nat(9), { minLength: 0, maxLength: 4 }), { freq: 2 }), junk, fc.nat(2))
    .map(([right, where, what, how]) => (where === null ? right : bent(right, where, what, how)));

/** Text that is nearly JSON. */
export const spoiled = (body: fc.Arbitrary<unknown>) =>
  fc
    .tuple(body, fc.nat(), fc.constantFrom('', '}', '\u0000', '"', ',', '\\', '\uFEFF', '{"__proto__":1}'))
    .map(([right, at, text]) => {
      const whole = JSON.stringify(right) ?? '';
      const cut = at % (whole.length + 1);
      return whole.slice(0, cut) + text + whole.slice(cut + (at % 3));
    });

/** Headers of all kinds; mostly none. */
export const someHeaders = fc
  .record(
    {
      'content-type': fc.constantFrom(
        'application/json',
        'application/json; charset=utf-8',
        'text/plain',
        'application/xml',
        'x',
      ),
      'idempotency-key': fc.constantFrom('a', 'b', 'c d', '', 'x'.repeat(300)),
      authorization: fc.constantFrom('Bearer wrong', 'Basic eA==', ''),
      accept: fc.constantFrom('text/html', '*/*', 'x'),
      'x-api-key': fc.constantFrom('', 'wrong'),
      'accept-encoding': fc.constantFrom('gzip', 'br', 'identity;q=0'),
    },
    { requiredKeys: [] },
  )
  .map((given) => (Object.keys(given).length > 3 ? {} : { ...given }) as Record<string, string>);

/** A request as it goes out; `@0` and the like stand for ids of VMs that are there then. */
export interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** The parts of an OpenAPI document that requests are made from. */
export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  /** Of a map, whose keys are the customer's own. */
  additionalProperties?: Schema | boolean;
  items?: Schema;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
}
export interface Operation {
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
export interface Document {
  paths: Record<string, Record<string, Operation>>;
}

/** Right values by the name of the field, where any value of the type would hardly ever be one. */
export type Hints = Record<string, fc.Arbitrary<unknown>>;

/** Values that a schema takes, with null wherever it may be. */
export function fromSchema(schema: Schema, name: string, hints: Hints): fc.Arbitrary<unknown> {
  const types = [schema.type ?? 'object'].flat();
  const right = fromType(schema, types[0] ?? 'null', name, hints);
  // Whole parts are left out more often than single values: each of them is one more reason to be refused.
  const freq = types[0] === 'object' || types[0] === 'array' ? 2 : 4;
  return types.includes('null') ? fc.option(right, { nil: null, freq }) : right;
}

function fromType(schema: Schema, type: string, name: string, hints: Hints): fc.Arbitrary<unknown> {
  const hint = hints[name];
  if (hint && type !== 'array') return hint;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (type) {
    case 'object': {
      const values = schema.additionalProperties;
      if (typeof values === 'object') {
        return fc.dictionary(fc.string({ maxLength: 20 }), fromSchema(values, '', hints), { maxKeys: 3 });
      }
      const fields = Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, part]) => [key, fromSchema(part, key, hints)]),
      );
      return fc.record<Record<string, unknown>, string>(fields, { requiredKeys: schema.required ?? [] });
    }
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}, name, hints), { maxLength: 3 });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 10, 50) });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.string({ maxLength: 20 });
  }
}

/**
 * The path of the document that a request's path leads to; one without parameters goes before one with. What can't be decoded
 * leads nowhere.
 */
export function templateOf({ paths }: Document, path: string): string | undefined {
  const plain = path.split('?', 1)[0] ?? '';
  if (plain in paths) return plain;
  if (/%(?![0-9a-f]{2})/i.test(plain)) return undefined;
  const parts = plain.split('/');
  return Object.keys(paths)
    .filter((template) => {
      const others = template.split('/');
      return others.length === parts.length && others.every((part, at) => part.startsWith('{') || part === parts[at]);
    })
    .toSorted((a, b) => a.indexOf('{') - b.indexOf('{'))
    .at(-1);
}

/** The fields of an error: a text alone, a problem's, or those of google.rpc.Status with the text once more. */
const errorShapes = ['error', 'code,detail,requestId,status,title,type', 'code,details,error,message'];

const ajv = new Ajv({ strict: false });

/** What is wrong with an answer to a request, or null. Errors are held against the shape that the dialect documents. */
export function faultOf(
  document: Document,
  sent: Sent,
  answer: { status: number; type: string | undefined; text: string },
): string | null {
  const { status, type, text } = answer;
  if (status >= 500) return 'a server error';
  if (sent.method === 'HEAD') return null;
  // The web console is there, which is no part of any API.
  if (sent.method === 'GET' && sent.path.split('?', 1)[0] === '/') return null;
  const operation = document.paths[templateOf(document, sent.path) ?? '']?.[sent.method.toLowerCase()];
  const documented = operation?.responses[status];
  if (operation && !documented) return 'a status that is not documented';
  if (status === 204) return text === '' ? null : '204 with a body';
  // Below `/berth/v1` refusals are problems, also of what is not there.
  if (!/^application\/(problem\+)?json\b/.test(type ?? '')) return `not JSON but ${type}`;
  const body: unknown = JSON.parse(text);
  if (status >= 400) {
    const { error, detail } = body as { error?: unknown; detail?: unknown };
    const message = error ?? detail;
    if (typeof message !== 'string' || message === '') return 'an error without a text';
    if (message.length > 1_000) return 'an error text without end';
    const sometimes = new Set(['subject', 'pointer', 'parameter', 'errors']);
    const always = Object.keys(body as object).filter((key) => !sometimes.has(key));
    if (!errorShapes.includes(always.toSorted().join())) return 'an error of another shape';
  } else if (!documented) return 'an answer where nothing is documented';
  const schema = documented?.content?.['application/json']?.schema;
  return !schema || ajv.validate(schema, body) ? null : `not the documented shape: ${ajv.errorsText()}`;
}

/** Sends a request over connections that stay open; thousands of them in a row. */
export function sendOver(
  agent: Agent,
  url: string,
  { method, path, headers, body }: Sent,
  timeoutMs: number,
): Promise<{ status: number; type: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const { hostname, port } = new URL(url);
    const outgoing = httpRequest(
      { hostname, port, method, path, headers: { ...headers, ...length }, agent },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'],
            text: Buffer.concat(chunks).toString(),
          }),
        );
        answer.on('error', reject);
      },
    );
    outgoing.setTimeout(timeoutMs, () =>
      outgoing.destroy(new Error(`no answer to ${method} ${path} in ${timeoutMs} ms`)),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
