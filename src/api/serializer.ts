// How answers are written: by Fastify's own serializers, which write what a schema names and leave out what it doesn't, compiled when
// the first answer of their kind is written. Most of the two thousand are of errors that never happen.

import Fastify from 'fastify';

/** A serializer compiler for every route that compiles as late as can be. A test compiles every schema. */
export async function lateSerializerCompiler() {
  const compile = await fastifysOwn();
  return (route: Parameters<typeof compile>[0]) => {
    let serialize: ReturnType<typeof compile> | undefined;
    return (data: unknown): string => {
      serialize ??= compile(route);
      return serialize(data);
    };
  };
}

/** Fastify makes its compiler for the first route that has a schema of an answer, and shows it from then on. */
async function fastifysOwn() {
  const app = Fastify();
  app.get('/', { schema: { response: { 200: { type: 'object' } } } }, async () => ({}));
  await app.ready();
  const { serializerCompiler } = app;
  await app.close();
  if (!serializerCompiler) throw new Error('Fastify has no serializer compiler.');
  return serializerCompiler;
}
