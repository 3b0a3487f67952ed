// Ids that say what they are ids of: `ins_…` is an instance, `grp_…` a group. What stands behind the prefix is the database's own id
// without its punctuation, so that nothing has to be looked up.

import Type from 'typebox';
import { BerthError, shown } from '../../model/errors.ts';

/** How an id is written in the database. */
type Form = 'uuid' | 'number' | 'instance';

interface Kind {
  prefix: string;
  form: Form;
  /** What an error calls it. */
  noun: string;
}

/** Every kind of thing that has an id here. */
const kinds = {
  account: { prefix: 'acc', form: 'uuid', noun: 'account' },
  addressPool: { prefix: 'adp', form: 'uuid', noun: 'address pool' },
  apiKey: { prefix: 'key', form: 'uuid', noun: 'API key' },
  backup: { prefix: 'bak', form: 'uuid', noun: 'backup' },
  backupSchedule: { prefix: 'sch', form: 'number', noun: 'backup schedule' },
  datacenter: { prefix: 'dc', form: 'uuid', noun: 'datacenter' },
  delivery: { prefix: 'dlv', form: 'uuid', noun: 'delivery' },
  deployment: { prefix: 'dep', form: 'uuid', noun: 'deployment' },
  disk: { prefix: 'dsk', form: 'uuid', noun: 'disk' },
  group: { prefix: 'grp', form: 'number', noun: 'group' },
  host: { prefix: 'hst', form: 'uuid', noun: 'host' },
  image: { prefix: 'img', form: 'uuid', noun: 'image' },
  instance: { prefix: 'ins', form: 'instance', noun: 'instance' },
  operation: { prefix: 'op', form: 'uuid', noun: 'operation' },
  price: { prefix: 'prc', form: 'uuid', noun: 'price' },
  privilege: { prefix: 'prv', form: 'number', noun: 'privilege' },
  quote: { prefix: 'quo', form: 'uuid', noun: 'quote' },
  session: { prefix: 'ses', form: 'uuid', noun: 'session' },
  slot: { prefix: 'slt', form: 'uuid', noun: 'slot' },
  slotPrice: { prefix: 'spr', form: 'uuid', noun: 'slot price' },
  sshKey: { prefix: 'ssh', form: 'uuid', noun: 'SSH key' },
  storagePool: { prefix: 'stp', form: 'number', noun: 'storage pool' },
  transaction: { prefix: 'txn', form: 'uuid', noun: 'transaction' },
  user: { prefix: 'usr', form: 'uuid', noun: 'user' },
  webhook: { prefix: 'whk', form: 'uuid', noun: 'webhook' },
} satisfies Record<string, Kind>;

/** A kind of thing that has an id. */
export type IdKind = keyof typeof kinds;

const samples: Record<Form, string> = {
  uuid: '5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
  number: '17',
  instance: '3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b',
};
const patterns: Record<Form, RegExp> = {
  uuid: /^[0-9a-f]{32}$/,
  number: /^\d{1,18}$/,
  instance: /^[0-9a-f]{40}$/,
};

/** An id as it is written here. @param id as the database has it */
export function toId(kind: IdKind, id: string | bigint): string {
  const text = String(id);
  const { prefix, form } = kinds[kind] as Kind;
  if (form === 'uuid') return `${prefix}_${text.replaceAll('-', '')}`;
  return `${prefix}_${form === 'instance' ? text.slice(2) : text}`;
}

/** {@link toId} of something that may be missing. */
export const toIdOrNull = (kind: IdKind, id: string | bigint | null): string | null =>
  id === null ? null : toId(kind, id);

/** The database's form of an id, or null where the text is no id of this kind. */
export function parseId(kind: IdKind, text: string): string | null {
  const { prefix, form } = kinds[kind] as Kind;
  const rest = text.startsWith(`${prefix}_`) ? text.slice(prefix.length + 1) : '';
  if (!patterns[form].test(rest)) return null;
  if (form === 'instance') return `0x${rest}`;
  if (form !== 'uuid') return rest;
  return [rest.slice(0, 8), rest.slice(8, 12), rest.slice(12, 16), rest.slice(16, 20), rest.slice(20)].join('-');
}

/**
 * The database's form of an id that a request names.
 * @param field where it stands in the body or query; left out for a path
 * @throws BerthError `not_found` in a path, `invalid_value` in a field
 */
export function readId(kind: IdKind, text: string, field?: string): string {
  const id = parseId(kind, text);
  if (id !== null) return id;
  const { noun } = kinds[kind];
  if (field === undefined) throw new BerthError('not_found', `There is no ${noun} ${shown(text)}.`, text);
  const message = `${field} is ${shown(text)}; the id of ${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun} looks like ${sampleId(kind)}.`;
  throw new BerthError('invalid_value', message, field);
}

/** An id that nothing has, for examples. */
export function sampleId(kind: IdKind): string {
  const { prefix, form } = kinds[kind] as Kind;
  return `${prefix}_${samples[form]}`;
}

/** In examples: instances that are switched off, for what is done to such only. */
export const samplesOff = [
  'ins_0ff1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4',
  'ins_0ff2c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4',
] as const;

/** In examples: a host whose agent has told what it holds, which nothing may be done to that others would feel. */
export const sampleHostWithAgent = 'hst_a9e7c6d0e9b74a1d8e2f3a4b5c6d7e8f';

/** In examples: what a host has and nobody owns. */
export const sampleOrphan = 'ins_0a1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b';

/** In examples: an image of an account's own. */
export const sampleOwnImage = 'img_0e15c6d0e9b74a1d8e2f3a4b5c6d7e8f';

/** In examples: an additional address of an instance. */
export const sampleAddress = '192.0.2.10';

/** The kind that an id in an example is of, or null where the text is none. */
export function kindOfSample(text: string): IdKind | null {
  return (Object.keys(kinds) as IdKind[]).find((kind) => parseId(kind, text) !== null) ?? null;
}

/** The schema of an id. */
export const Id = (kind: IdKind, description?: string) =>
  Type.String({ ...(description ? { description } : {}), maxLength: 100, examples: [sampleId(kind)] });
