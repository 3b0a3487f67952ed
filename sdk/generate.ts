// Writes the part of the SDK that follows from openapi/native.json: a type for each shape, and for each noun a class with a method
// for each operation. `npm run sdk` runs it; a test holds what is committed to what it writes.

import { readFileSync, writeFileSync } from 'node:fs';

type Json = Record<string, unknown>;

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  schema: Json;
}
interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
}

const head = '// Written by sdk/generate.ts out of openapi/native.json. Do not edit.\n';

/** The text of each generated file, by its name. */
export function generateSdk(document: Document): Map<string, string> {
  return new Map([
    ['types.ts', typesFile(document)],
    ['resources.ts', resourcesFile(document)],
  ]);
}

function typesFile({ components }: Document): string {
  const types = Object.entries(components.schemas).map(([name, schema]) => {
    const fields = Object.entries((schema.properties ?? {}) as Record<string, Json>);
    return `${docOf(schema.description)}export interface ${name} {\n${fields.map(([field, part]) => fieldOf(field, part, requires(schema, field), '  ')).join('')}}\n`;
  });
  return `${head}\n${types.join('\n')}`;
}

const requires = ({ required }: Json, field: string) => ((required ?? []) as string[]).includes(field);

function fieldOf(name: string, schema: Json, isRequired: boolean, indent: string): string {
  const type = typeOf(schema, indent);
  const key = /^[a-zA-Z_$][\w$]*$/.test(name) ? name : `'${name}'`;
  return `${docOf(schema.description, indent)}${indent}${key}${isRequired ? `: ${type}` : `?: ${type} | undefined`};\n`;
}

function docOf(text: unknown, indent = ''): string {
  return typeof text === 'string' && text ? `${indent}/** ${text.replaceAll('*/', '* /')} */\n` : '';
}

const simple: Record<string, string> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
};

/** A schema as a TypeScript type. */
function typeOf(schema: Json, indent: string): string {
  if (typeof schema.$ref === 'string') return schema.$ref.split('/').at(-1) ?? 'unknown';
  const choices = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (choices) return [...new Set(choices.map((choice) => typeOf(choice, indent)))].join(' | ');
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]) as string[];
  const isNullable = types.includes('null');
  if (isNullable && types.length === 1) return 'null';
  const [type = 'unknown'] = types.filter((one) => one !== 'null');
  const bare = Array.isArray(schema.enum)
    ? schema.enum
        .filter((word) => word !== null)
        .map((word) => JSON.stringify(word).replaceAll('"', "'"))
        .join(' | ')
    : 'const' in schema
      ? JSON.stringify(schema.const)
      : bareTypeOf(type, schema, indent);
  return isNullable && bare !== 'null' ? `${bare} | null` : bare;
}

function bareTypeOf(type: string, schema: Json, indent: string): string {
  if (type === 'array') {
    const item = typeOf((schema.items ?? {}) as Json, indent);
    return /[ |]/.test(item) ? `(${item})[]` : `${item}[]`;
  }
  if (type !== 'object') return simple[type] ?? 'unknown';
  const fields = Object.entries((schema.properties ?? {}) as Record<string, Json>);
  if (fields.length > 0) {
    const inner = `${indent}  `;
    return `{\n${fields.map(([name, part]) => fieldOf(name, part, requires(schema, name), inner)).join('')}${indent}}`;
  }
  const { additionalProperties: rest } = schema;
  return rest && typeof rest === 'object'
    ? `Record<string, ${typeOf(rest as Json, indent)}>`
    : 'Record<string, unknown>';
}

interface Method {
  path: string;
  method: string;
  operation: Operation;
}

function resourcesFile({ paths, components }: Document): string {
  const byTag = new Map<string, Method[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (isStream(operation)) continue;
      const [tag = ''] = operation.tags;
      byTag.set(tag, [...(byTag.get(tag) ?? []), { path, method: method.toUpperCase(), operation }]);
    }
  }
  const classes = [...byTag]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([tag, methods]) => classOf(tag, methods));
  const used = Object.keys(components.schemas).filter((name) =>
    classes.some((text) => new RegExp(`\\b${name}\\b`).test(text.replaceAll(/\/\*\*.*?\*\//gs, ''))),
  );
  const imports = [
    importOf(['Pages'], '../pages.ts'),
    importOf(['ChangeOptions', 'Options', 'Transport'], '../transport.ts'),
    importOf(used, './types.ts'),
  ].join('');
  const fields = [...byTag.keys()].sort().map((tag) => `  readonly ${camel(tag)}: ${pascal(tag)}Api;\n`);
  const inits = [...byTag.keys()].sort().map((tag) => `    this.${camel(tag)} = new ${pascal(tag)}Api(transport);\n`);
  const all = `/** Every noun of the API. */\nexport class Resources {\n${fields.join('')}\n  constructor(transport: Transport) {\n${inits.join('')}  }\n}\n`;
  return `${head}\n${imports}\n${classes.join('\n')}\n${all}`;
}

/** What is answered bit by bit is no call with one result, and neither is a WebSocket. */
function isStream({ responses }: Operation): boolean {
  if ('101' in responses) return true;
  const { content } = responses['200'] ?? {};
  return content !== undefined && !('application/json' in content);
}

const importOf = (names: readonly string[], file: string) =>
  `import type {\n${names.map((name) => `  ${name},\n`).join('')}} from '${file}';\n`;

const pascal = (tag: string) =>
  tag
    .split('-')
    .map((part) => part[0]?.toUpperCase() + part.slice(1))
    .join('');
const camel = (tag: string) => pascal(tag).replace(/^./, (first) => first.toLowerCase());

function classOf(tag: string, methods: Method[]): string {
  const names = new Map<string, number>();
  for (const one of methods) names.set(shortName(tag, one), (names.get(shortName(tag, one)) ?? 0) + 1);
  const texts = methods.map((one) => {
    const short = shortName(tag, one);
    return methodOf(one, names.get(short) === 1 ? short : one.operation.operationId);
  });
  return `/** Operations on ${tag.replaceAll('-', ' ')}. */\nexport class ${pascal(tag)}Api {\n  readonly #transport: Transport;\n\n  constructor(transport: Transport) {\n    this.#transport = transport;\n  }\n\n${texts.join('\n')}}\n`;
}

/** `createGroup` of groups is `create`, `powerInstance` of instances `power`. */
function shortName(tag: string, { operation: { operationId } }: Method): string {
  const plural = pascal(tag);
  const singular = plural
    .replace(/ies$/, 'y')
    .replace(/(ss|x)es$/, '$1')
    .replace(/([^s])s$/, '$1');
  const short =
    [plural, singular].map((noun) => operationId.replace(noun, '')).find((name) => name !== operationId) ?? operationId;
  return short.replace(/^./, (first) => first.toLowerCase());
}

function methodOf({ path, method, operation }: Method, name: string): string {
  const { parameters = [], requestBody, responses, summary, description } = operation;
  const ids = parameters.filter((one) => one.in === 'path').map((one) => one.name);
  const query = parameters.filter((one) => one.in === 'query' && !['dryRun', 'cursor', 'follow'].includes(one.name));
  const body = requestBody?.content['application/json']?.schema;
  const answer = Object.entries(responses).find(([status]) => Number(status) < 300)?.[1].content?.['application/json']
    ?.schema;
  const result = answer ? typeOf(answer, '    ') : 'void';
  const isList = method === 'GET' && parameters.some((one) => one.name === 'cursor') && result.endsWith('Page');
  const isRead = method === 'GET';
  const needsQuery = query.some(({ required }) => required);
  const queryType = `{\n${query.map((one) => fieldOf(one.name, { ...one.schema, description: one.description }, one.required === true, '      ')).join('')}    }`;
  const args = [
    ...ids.map((id) => `${id}: string`),
    ...(body ? [`body: ${typeOf(body, '    ')}`] : []),
    ...(query.length > 0 ? [`query: ${queryType}${needsQuery ? '' : ' = {}'}`] : []),
    `options: ${isRead ? 'Options' : 'ChangeOptions'} = {}`,
  ];
  const filled = `\`${path.replace(/\{(\w+)\}/g, (_whole, id: string) => `\${encodeURIComponent(${id})}`)}\``;
  const at = path.includes('{') ? filled : `'${path}'`;
  const given = [query.length > 0 ? 'query' : '', body ? 'body' : ''].filter(Boolean);
  const call = given.length > 0 ? `{ ${given.join(', ')} }` : '{}';
  const doc = [summary, description]
    .filter(Boolean)
    .join('. ')
    .replace(/([^.])$/, '$1.');
  const signature = `  ${name}(${args.join(', ')})`;
  if (isList) {
    const item = `${result}['items'][number]`;
    return `  /** ${doc} */\n${signature}: Pages<${item}> {\n    return this.#transport.pages(${at}, ${call}, options);\n  }\n`;
  }
  return `  /** ${doc} */\n${signature}: Promise<${result}> {\n    return this.#transport.${isRead ? 'read' : 'change'}(${isRead ? '' : `'${method}', `}${at}, ${call}, options);\n  }\n`;
}

/** Where the document is, and where the SDK is written to. */
const documentFile = new URL('../openapi/native.json', import.meta.url);
const directory = new URL('./generated/', import.meta.url);

/** What the committed document comes to. */
export function generateFromCommitted(): Map<string, string> {
  return generateSdk(JSON.parse(readFileSync(documentFile, 'utf8')) as Document);
}

if (import.meta.main) {
  for (const [name, text] of generateFromCommitted()) writeFileSync(new URL(name, directory), text);
}
