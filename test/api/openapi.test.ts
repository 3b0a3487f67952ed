// The committed OpenAPI documents are what the routes say now, and good enough to make a client from.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openApiDocuments } from '../../src/api/openapi.ts';

const directory = join(import.meta.dirname, '../../openapi');
const documents = await openApiDocuments();

interface Operation {
  operationId?: string;
  summary?: string;
  parameters?: { name: string; in: string; schema?: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  security?: object[];
  responses?: Record<string, Response>;
}
interface Response {
  $ref?: string;
  description?: string;
  content?: Record<string, { schema?: object }>;
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: Record<string, object>;
    schemas?: Record<string, object>;
    responses?: Record<string, Response>;
  };
  security: Record<string, unknown>[];
}

const parsed = [...documents].map(([name, text]): [string, Document] => [name, JSON.parse(text)]);
const documentOf = new Map(parsed);
const operations = parsed.flatMap(([name, document]) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name, path, method, operation })),
  ),
);

test('the committed documents are what the code says; "npm run openapi" writes them', async () => {
  assert.deepEqual((await readdir(directory)).sort(), [...documents.keys()].sort());
  for (const [name, text] of documents) {
    assert.equal(await readFile(join(directory, name), 'utf8'), text, `${name} is not up to date: npm run openapi`);
  }
});

test('each document is OpenAPI 3.1 with a title, a version and security schemes that exist', () => {
  for (const [name, document] of parsed) {
    assert.match(document.openapi, /^3\.1\.\d$/, name);
    assert.ok(document.info.title && document.info.version, name);
    for (const scheme of document.security.flatMap((one) => Object.keys(one))) {
      assert.ok(scheme in document.components.securitySchemes, `${name}: ${scheme}`);
    }
    assert.ok(Object.keys(document.paths).length > 0, name);
  }
});

test('every call of the contract is documented', () => {
  const found = operations
    .filter(({ name }) => name === 'fluence.json')
    .map(({ method, path }) => `${method} ${path}`)
    .toSorted();
  assert.deepEqual(found, [
    'delete /ssh_keys',
    'delete /vms/v3',
    'get /marketplace/basic_configurations',
    'get /marketplace/countries',
    'get /marketplace/hardware',
    'get /ssh_keys',
    'get /v1/marketplace/datacenters',
    'get /vms/v3',
    'get /vms/v3/default_images',
    'get /vms/v3/status',
    'patch /vms/v3',
    'post /marketplace/offers',
    'post /ssh_keys',
    'post /vms/v3',
    'post /vms/v3/estimate',
  ]);
});

test('every operation has an id of its own, a summary, one good answer, and a schema for each error', () => {
  // Of its own document: the APIs have nothing to do with each other.
  const ids = operations.map(({ name, operation }) => `${name} ${operation.operationId}`);
  assert.equal(new Set(ids).size, ids.length);
  for (const { name, path, method, operation } of operations) {
    const at = `${name} ${method} ${path}`;
    assert.match(operation.operationId ?? '', /^[a-z][A-Za-z]+$/, at);
    assert.ok(operation.summary, at);
    const responses = Object.entries(operation.responses ?? {});
    // A key that was registered before is answered with 200 and not 201.
    const good = path === '/ssh_keys' && method === 'post' ? 2 : 1;
    // What is a WebSocket is answered with 101.
    assert.equal(responses.filter(([status]) => /^(2|101)/.test(status)).length, good, at);
    const isForEverybody = operation.security?.length === 0;
    assert.ok(
      isForEverybody || responses.some(([status]) => status === '401' || status === '403'),
      `${at} says nothing of who may not`,
    );
    for (const [status, response] of responses) {
      const named = documentOf.get(name)?.components.responses?.[response.$ref?.split('/').at(-1) ?? ''];
      const { description, content } = named ?? response;
      assert.ok(description, `${at} ${status}`);
      // A session's token is bare text, and so is what is said of a login; Berth's own API tells of problems.
      const type =
        path.startsWith('/session') && method === 'post'
          ? /^(text\/plain|application\/json)$/
          : name === 'native.json' && Number(status) >= 400
            ? /^application\/problem\+json$/
            : path.endsWith('/stream')
              ? /^text\/event-stream$/
              : /^application\/json$/;
      const schemas = Object.entries(content ?? {}).filter(([name]) => type.test(name));
      if (status !== '204' && status !== '101')
        assert.ok(
          schemas.some(([, one]) => one.schema),
          `${at} ${status} has no schema`,
        );
    }
    if (operation.requestBody) assert.ok(operation.requestBody.content['application/json']?.schema, at);
  }
});

test('every parameter of a path and every reference is there', () => {
  for (const { name, path, method, operation } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    const given = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    assert.deepEqual(
      given.map((parameter) => parameter.name).toSorted(),
      named.toSorted(),
      `${name} ${method} ${path}`,
    );
    for (const parameter of operation.parameters ?? []) assert.ok(parameter.schema, `${path} ${parameter.name}`);
  }
  for (const [name, text] of documents) {
    const document: unknown = JSON.parse(text);
    for (const [, reference = ''] of text.matchAll(/"\$ref": "([^"]+)"/g)) {
      const target = reference
        .replace(/^#\//, '')
        .split('/')
        .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], document);
      assert.ok(target, `${name}: ${reference} leads nowhere`);
    }
  }
});
