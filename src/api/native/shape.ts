// Pieces that the schemas of Berth's own API are made of. Every leaf has an example, so that every answer has one.

import Type, { type Static, type TSchema } from 'typebox';
import { formatUsd, type MicroUsd, usdPattern } from '../../model/money.ts';

/** A value that may be null. */
export const Nullable = <Schema extends TSchema>(schema: Schema) =>
  'type' in schema && typeof schema.type === 'string' && schema.type !== 'object' && schema.type !== 'array'
    ? Type.Unsafe<Static<Schema> | null>({
        ...schema,
        type: [schema.type, 'null'],
        ...('enum' in schema && Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {}),
      })
    : Type.Unsafe<Static<Schema> | null>({ anyOf: [schema, { type: 'null' }] });

/** A moment in UTC. */
export const Time = (description?: string) =>
  Type.String({ ...(description ? { description } : {}), format: 'date-time', examples: ['2026-11-20T09:30:00.000Z'] });

/** A moment as it is written. */
export const toTime = (date: Date): string => date.toISOString();

/** {@link toTime} of a moment that may be missing. */
export const toTimeOrNull = (date: Date | null): string | null => date?.toISOString() ?? null;

/** An amount of US dollars, as a decimal string so that nothing is lost. */
export const Usd = (description?: string) =>
  Type.String({ description: description ?? 'US dollars', pattern: usdPattern, examples: ['1.25'] });

/** An amount as it is written. */
export const toUsd = (amount: MicroUsd): string => formatUsd(amount);

/** A text with an example. */
export const Text = (example: string, description?: string, more: { maxLength?: number; minLength?: number } = {}) =>
  Type.String({ ...(description ? { description } : {}), ...more, examples: [example] });

/** A whole number with an example. */
export const Whole = (example: number, description?: string, more: { minimum?: number; maximum?: number } = {}) =>
  Type.Integer({ ...(description ? { description } : {}), ...more, examples: [example] });

/** One of some words. */
export const OneOf = <const Words extends readonly string[]>(words: Words, description?: string) =>
  Type.Unsafe<Words[number]>({
    type: 'string',
    enum: [...words],
    ...(description ? { description } : {}),
    examples: [words[0]],
  });

/** An object of a name, under which it stands in the document once. Takes no fields that are not named. */
export const Shape = <Properties extends Record<string, TSchema>>(
  title: string,
  properties: Properties,
  description?: string,
) => Type.Object(properties, { title, ...(description ? { description } : {}), additionalProperties: false });
