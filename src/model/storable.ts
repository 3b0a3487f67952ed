// What PostgreSQL can't hold as text: the zero character and halves of surrogate pairs. A report that had one in a message
// would fail, and be sent again, for ever; so both are replaced rather than refused.

/** The value with every text in it made storable; the same object where nothing had to be changed. */
export function storable<Value>(value: Value): Value {
  if (typeof value === 'string') {
    return (value.isWellFormed() && !value.includes('\0') ? value : clean(value)) as Value;
  }
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
