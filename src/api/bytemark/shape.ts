// What the shapes of this dialect share: each object says its type, ids are whole numbers, and what is not there is null.

import Type, { type Static, type TSchema } from 'typebox';

/** A value that may be null, in the form that is serialised fastest: one type of two, without a choice between schemas. */
export function Nullable<Schema extends TSchema & { type?: string }>(schema: Schema) {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] });
}

/** The `type` of an object of this kind, such as `disc`. */
export const mediaType = (kind: string) => `application/vnd.bigv.${kind}`;

/** A number that belongs to one object of its kind. */
export const IdSchema = Type.Integer();

/** An attribute of a body. What is sent in it is read as forgivingly as the original does, so any value is let through. */
export const Attribute = (description: string) => Type.Optional(Type.Unknown({ description }));

/** An answer without a body. */
export const NothingSchema = Type.Null({ description: 'Done' });
