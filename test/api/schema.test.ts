// A server compiles a schema when the first request comes that it is for. So here every schema of every dialect is compiled: one that
// is none must not wait for a customer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { bareServer, dialects } from '../../src/api/server.ts';
import type { App } from '../../src/api/types.ts';
import { compileValidator } from '../../src/api/validator.ts';
import type { Context } from '../../src/app/context.ts';

/** Registers routes on a server that compiles everything at once: requests' schemas by ours, answers' by Fastify's own compiler. */
async function compileAll(addRoutes: (app: App) => Promise<void> | void): Promise<void> {
  const app = bareServer(false, () => '');
  app.setValidatorCompiler(compileValidator);
  await app.register(async (scope) => addRoutes(scope as App));
  await app.ready();
  await app.close();
}

for (const dialect of dialects) {
  test(`every schema of the ${dialect.name} dialect compiles`, async () => {
    // No request is served, so the routes need no context.
    await compileAll((app) => dialect.plugin(app, { context: {} as Context }));
  });
}

test('a schema that is none is found, be it of a request or of an answer', async () => {
  const broken = { type: 'no such type' };
  const parts = ['body', 'querystring', 'params', 'headers'].map((part) => ({ [part]: broken }));
  for (const schema of [...parts, { response: { 200: { type: 'object', properties: { broken } } } }]) {
    const route = { method: 'POST', url: '/:id', schema, handler: async () => null } as const;
    await assert.rejects(
      compileAll((app) => void app.route(route)),
      /schema/i,
      JSON.stringify(schema),
    );
  }
  await compileAll((app) => void app.get('/', { schema: { response: { 200: Type.Null() } } }, async () => null));
});
