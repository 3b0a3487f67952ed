// What can be kept as text: PostgreSQL holds everything but the zero character and halves of surrogate pairs. What customers send
// is refused where it has one; what hosts tell is made storable, since a report that fails would be sent again, for ever.

import { BerthError } from './errors.ts';

/** Whether a text can be kept. */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/**
 * Holds every text in a value, names of fields among them, to be one that can be kept.
 * @param at where the value stands, such as `body.name`
 * @throws BerthError `malformed`
 */
export function requireStorable(value: unknown, at: string): void {
  if (typeof value === 'string' && !isStorable(value)) {
    throw new BerthError('malformed', `${at} holds a character that no text can have.`, at);
  }
  if (value === null || typeof value !== 'object') return;
  for (const [key, part] of Object.entries(value)) {
    requireStorable(key, at || 'a field');
    requireStorable(part, at ? `${at}.${key}` : key);
  }
}

/** The value with every text in it made storable; the same object where nothing had to be changed. */
export function storable<Value>(value: Value): Value {
  if (typeof value === 'string') return (isStorable(value) ? value : clean(value)) as Value;
  if (value === null || typeof value !== 'object') return value;
  let changed = false;
  const entries = Object.entries(value).map(([key, part]): [string, unknown] => {
    const stored = [storable(key), storable(part)] as [string, unknown];
    changed ||= stored[0] !== key || stored[1] !== part;
    return stored;
  });
  if (!changed) return value;
  return (Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries)) as Value;
}

const clean = (text: string) => text.replaceAll('\0', '\uFFFD').toWellFormed();
