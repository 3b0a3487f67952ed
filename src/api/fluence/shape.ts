// Shapes that all of Fluence's calls share: fields that may be null, and pages of lists.

import Type, { type Static, type TSchema } from 'typebox';

/** A field that may be left out or null. */
export function Optional<Schema extends TSchema & { type?: string }>(schema: Schema) {
  // `anyOf` with null would answer bad input with three errors instead of one.
  return Type.Optional(Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] }));
}

/** Every list comes whole unless a page of it is asked for. */
export const PageQuerySchema = Type.Object({
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
});

/** How long a page is whose length was left out. */
const perPageDefault = 50;

/** The page that a query asks for; undefined when it asks for none. */
export function windowOf({ page, per_page: perPage }: Static<typeof PageQuerySchema>) {
  return page || perPage ? { page: page ?? 1, perPage: perPage ?? perPageDefault } : undefined;
}
