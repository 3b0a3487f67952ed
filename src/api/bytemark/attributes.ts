// Reads the attributes of a body as forgivingly as Bytemark's API does: what nobody knows is left aside, null counts as not
// given, and a number may be written as text. What can't be read is noted as a fault of its attribute, so that all faults of a
// body are told at once.

import { BerthError, type FieldFaults, InvalidFields } from '../../model/errors.ts';
import { isStorable } from '../../model/storable.ts';

/** A hash of attributes, and what is wrong with them so far. */
export class Attributes {
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #faults: Record<string, string[]> = {};

  /** @param given a JSON object; anything else has no attributes */
  constructor(given: unknown) {
    this.#given = isHash(given) ? given : {};
  }

  /** Whether an attribute is there, be it null. */
  has(name: string): boolean {
    return this.#given[name] !== undefined;
  }

  /** All attributes as they were sent. */
  get all(): Readonly<Record<string, unknown>> {
    return this.#given;
  }

  /** An attribute as it was sent. */
  raw(name: string): unknown {
    return this.#given[name];
  }

  /** A text; numbers are taken for what they are written as. */
  text(name: string): string | undefined {
    const value = this.#given[name] ?? undefined;
    if (value === undefined || typeof value === 'string') return this.#storable(name, value);
    if (typeof value === 'number') return String(value);
    return this.refuse(name, 'is invalid');
  }

  /** A text that can be taken away: null where it is null or empty. */
  clearableText(name: string): string | null | undefined {
    if (this.#given[name] === null || this.#given[name] === '') return null;
    return this.text(name);
  }

  /** A text, where an empty one counts as not given: clients send one for what they don't use. */
  filledText(name: string): string | undefined {
    return this.text(name) || undefined;
  }

  /** A number, also as text. */
  number(name: string): number | undefined {
    const value = this.#given[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === 'number') return value;
    if (typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value)) return Number(value);
    return this.refuse(name, 'is not a number');
  }

  /** True or false, also as text or as 1 or 0. */
  flag(name: string): boolean | undefined {
    const value = this.#given[name] ?? undefined;
    if (value === undefined || typeof value === 'boolean') return value;
    if (value === 'true' || value === '1' || value === 1) return true;
    if (value === 'false' || value === '0' || value === 0) return false;
    return this.refuse(name, notListed);
  }

  /** A list; a hash is none. */
  list(name: string): unknown[] | undefined {
    const value = this.#given[name] ?? undefined;
    if (value === undefined || Array.isArray(value)) return value;
    return this.refuse(name, 'is invalid');
  }

  /** What could not be read. */
  get faults(): FieldFaults {
    return this.#faults;
  }

  /** @throws InvalidFields when anything could not be read */
  requireReadable(): void {
    if (Object.keys(this.#faults).length > 0) throw new InvalidFields(this.#faults);
  }

  #storable(name: string, text: string | undefined): string | undefined {
    return text === undefined || isStorable(text) ? text : this.refuse(name, 'is invalid');
  }

  /** Notes what is wrong with an attribute, which then is as good as not given. */
  refuse(name: string, message: string): undefined {
    this.#faults[name] = [...(this.#faults[name] ?? []), message];
    return undefined;
  }
}

/** Whether a value is a JSON object. */
export const isHash = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const notListed = 'is not included in the list';

/** The attributes of a body that has to be a JSON object; an empty body is one without any. */
export function attributesOf(body: unknown): Attributes {
  if (body != null && !isHash(body)) {
    throw new BerthError('malformed', 'The body must be a JSON object.');
  }
  return new Attributes(body);
}
