// Holds every answer of Berth's own API, whichever test has asked for it, to the document: the status to those of its operation, the
// body to its schema, a problem's code to its status and its operation, and the headers that each answer has.

import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type ErrorCode, errorTable } from '../../src/model/errors.ts';

interface Documented {
  responses: Record<string, { $ref?: string; content?: Record<string, unknown> }>;
}
interface Document {
  paths: Record<string, Record<string, Documented>>;
}

/** An answer as far as it is held. */
interface Answer {
  status: number;
  body: unknown;
  headers: Headers;
}

const base = '/berth/v1';
/** What every answer tells; of rates tells nothing what was no request yet. */
const headersOfAll = ['request-id', 'ratelimit', 'ratelimit-policy'];

let known: { document: Document; ajv: Ajv2020; patterns: [pattern: RegExp, path: string][] } | undefined;
const checks = new Map<string, ValidateFunction>();

/** The document as it lies in the repository: another test holds that to the code. */
function read() {
  if (known) return known;
  const file = new URL('../../openapi/native.json', import.meta.url);
  const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document as object, 'document');
  // What has no parameters goes before what has some.
  const paths = Object.keys(document.paths).sort((one, other) => one.split('{').length - other.split('{').length);
  const patterns = paths.map((path): [RegExp, string] => [
    new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    path,
  ]);
  known = { document, ajv, patterns };
  return known;
}

/** @throws Error that says what of an answer is not as documented */
export function holdToDocument(method: string, url: string, answer: Answer): void {
  const path = url.split('?', 1)[0] ?? '';
  if (!path.startsWith(`${base}/`)) return;
  const fault = faultOf(method, path, answer);
  if (fault === null) return;
  throw new Error(`${method} ${url} is answered ${answer.status} ${JSON.stringify(answer.body)}: ${fault}`);
}

function faultOf(method: string, path: string, { status, body, headers }: Answer): string | null {
  const { document, patterns } = read();
  const isReadable = canBeRead(path);
  const missing = headersOfAll.filter((name) => headers.get(name) === null && (isReadable || name === 'request-id'));
  if (missing.length > 0) return `it has no ${missing.join(', ')}`;
  const here = patterns.filter(([pattern]) => pattern.test(path));
  const asked = method === 'HEAD' ? 'get' : method.toLowerCase();
  const [, found] = here.find(([, one]) => document.paths[one]?.[asked]) ?? [];
  if (found === undefined)
    return faultOfNothing(method, here.length > 0, isReadable, status) ?? problemFault(status, body, headers);
  const operation = document.paths[found]?.[asked];
  if (status === 304) return null;
  const documented = operation?.responses[status];
  if (!documented) return `its document has no ${status}`;
  if (method === 'HEAD') return null;
  if (status >= 400) return problemFault(status, body, headers, documented.$ref);
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  if (type !== 'application/json')
    return status === 204 || documented.content?.[type] ? null : `it is served as ${type}`;
  const parts = ['paths', found, asked, 'responses', String(status), 'content', type, 'schema'];
  return check(`document#/${parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`, body);
}

function canBeRead(path: string): boolean {
  try {
    return decodeURIComponent(path) !== '';
  } catch {
    return false;
  }
}

function faultOfNothing(method: string, isThere: boolean, isReadable: boolean, status: number): string | null {
  const right = isReadable ? (isThere ? (method === 'OPTIONS' ? [204] : [404, 405]) : [404]) : [400];
  return right.includes(status) ? null : `nothing is there for ${method}, which is ${right.join(' or ')}`;
}

/** @param response where the document says which codes this operation answers with this status; left out where it says nothing */
function problemFault(status: number, body: unknown, headers: Headers, response?: string): string | null {
  if (status < 400 || body === null) return null;
  if (!headers.get('content-type')?.startsWith('application/problem+json')) return 'it is no problem';
  const problem = body as { status: number; code: string; requestId: string };
  if (problem.status !== status) return `its body says ${problem.status}`;
  if (problem.requestId !== headers.get('request-id')) return `Request-Id is ${headers.get('request-id')}`;
  const { [problem.code as ErrorCode]: known } = errorTable;
  if (known?.status !== status) return `${problem.code} is no code of this status`;
  if ((status === 429 || status === 503) && headers.get('retry-after') === null) return 'it has no Retry-After';
  return check(
    response ? `document${response}/content/application~1problem+json/schema` : 'document#/components/schemas/Problem',
    body,
  );
}

function check(reference: string, body: unknown): string | null {
  const { ajv } = read();
  const validate = checks.get(reference) ?? ajv.compile({ $ref: reference });
  checks.set(reference, validate);
  return validate(body) ? null : ajv.errorsText(validate.errors);
}
