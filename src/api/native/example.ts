// A value of a schema, put together from the examples of its parts.

type Json = Record<string, unknown>;

/**
 * An example of a value.
 * @throws Error where a part has none
 */
export function exampleOf(schema: Json, where = 'the schema'): unknown {
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if ('const' in schema) return schema.const;
  if ('default' in schema) return schema.default;
  const choices = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (choices) return exampleOf(choices[0] ?? {}, where);
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (types.includes('object')) return objectOf(schema, where);
  if (types.includes('array')) return [exampleOf(schema.items as Json, `${where}[]`)];
  if (types.includes('boolean')) return true;
  if (types.includes('null')) return null;
  throw new Error(`${where} has no example.`);
}

function objectOf({ properties = {} }: Json, where: string): Json {
  const entries = Object.entries(properties as Record<string, Json>);
  return Object.fromEntries(entries.map(([name, part]) => [name, exampleOf(part, `${where}.${name}`)]));
}
