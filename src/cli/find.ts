// How commands name things: by their id, or by their name where only one of those that the caller sees has it.

import type { Berth } from '../../sdk/berth.ts';
import { NotFoundError } from '../../sdk/error.ts';
import type { Account, Host, Instance, User } from '../../sdk/generated/types.ts';
import type { Desk } from './command.ts';
import { NotThereError, UsageError } from './exit.ts';
import type { Cell, Column, Look } from './table.ts';

/** A kind of thing that is found by id or name. */
export interface Kind<Thing extends { id: string }> {
  /** As errors call it, such as `group`. */
  noun: string;
  /** Of its ids. */
  prefix: string;
  get(berth: Berth, id: string): Promise<Thing>;
  /** Those that have a name. */
  named(berth: Berth, name: string): Promise<Thing[]>;
  /** What tells things of one name apart. */
  tell(thing: Thing): string;
  /** The command that lists them. */
  list: string;
}

/**
 * The thing that is meant.
 * @throws NotThereError; UsageError that lists the candidates where several have the name
 */
export async function find<Thing extends { id: string }>(
  { berth }: Desk,
  kind: Kind<Thing>,
  text: string,
): Promise<Thing> {
  const { noun, list } = kind;
  if (isId(kind.prefix, text)) return kind.get(berth, text);
  const found = await kind.named(berth, text);
  const [first, ...others] = found;
  if (!first) throw new NotThereError(`There is no ${noun} "${text}"; "berth ${list}" shows those that there are.`);
  if (others.length === 0) return first;
  const candidates = found.map((one) => `\n  ${one.id}  ${kind.tell(one)}`).join('');
  throw new UsageError(`There are ${found.length} ${noun}s "${text}"; name one by its id:${candidates}`);
}

/** Whether a text is an id of a kind. */
export const isId = (prefix: string, text: string): boolean => new RegExp(`^${prefix}_[0-9a-f]+$`).test(text);

const instancesNamed =
  (kind: Instance['kind'] | undefined, deleted: boolean) =>
  async (berth: Berth, name: string): Promise<Instance[]> => {
    const all = await berth.instances.list({ name, kind, deleted: true }).all();
    const gone = all.filter(({ status }) => status === 'soft-deleted');
    const there = all.filter(({ status }) => !['soft-deleted', 'deleting', 'deleted'].includes(status));
    // Those that are meant by what is done with them; the others only where there is no such one.
    const meant = deleted ? [gone, there] : [there, gone];
    return meant.find((some) => some.length > 0) ?? all;
  };

const tellInstance = ({ status, createdAt }: Instance) => `${status}, made ${createdAt.slice(0, 16)}Z`;
const instanceKind = (noun: string, list: string, kind: Instance['kind'] | undefined, deleted = false) => ({
  ...{ noun, list, prefix: 'ins', tell: tellInstance, named: instancesNamed(kind, deleted) },
  get: (berth: Berth, id: string) => berth.instances.get(id),
});

/** VMs. */
export const vmKind: Kind<Instance> = instanceKind('VM', 'vm list', 'vm');
/** VMs that are deleted and can be brought back. */
export const deletedVmKind: Kind<Instance> = instanceKind('VM', 'vm list --deleted', 'vm', true);
/** Containers. */
export const containerKind: Kind<Instance> = instanceKind('container', 'ct list', 'container');
/** Either. */
export const anyInstanceKind: Kind<Instance> = instanceKind('instance', 'vm list', undefined);

/** The id of an instance that an option names. */
export const instanceIdOf = async (desk: Desk, text: string | undefined): Promise<string | undefined> =>
  text === undefined || isId('ins', text) ? text : (await find(desk, anyInstanceKind, text)).id;

/** How many instances are asked for one by one to tell what they are called; those beyond are shown by their ids. */
const namedSinglyMax = 100;

/** What instances are called, as far as they are seen: a page of them tells of all where there are few, and the others are asked for. */
export async function namesOf(berth: Berth, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  if (ids.size > 1) {
    const { items, nextCursor } = await berth.instances.list({ deleted: true, limit: 200 }).page();
    for (const { id, name } of items) if (ids.has(id)) names.set(id, name);
    if (nextCursor === null) return names;
  }
  const rest = [...ids].filter((id) => !names.has(id)).slice(0, namedSinglyMax);
  const found = await Promise.all(rest.map((id) => berth.instances.get(id).catch(nullWhereGone)));
  for (const one of found) if (one) names.set(one.id, one.name);
  return names;
}

function nullWhereGone(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}

/** A column with what an instance or whatever a list knows the names of is called; its id, where that is not known. */
export const nameColumn = <Row>(title: string, of: (row: Row) => string | null, rank: number): Column<Row> => ({
  ...{ title, rank },
  cell: (row, { names }) => names?.get(of(row) ?? '') ?? of(row),
});

/** An instance in a sheet: what it is called, as far as that is known, and its id, which tells it from others of the name. */
export const nameAndId = (id: string | null, { names }: Look): Cell => {
  const name = names?.get(id ?? '');
  return name === undefined ? id : `${name} (${id})`;
};

/** What accounts are called, for lists that show them; such lists are short, or have none but the caller's own. */
export const accountNames = async ({ berth }: Desk): Promise<ReadonlyMap<string, string>> =>
  new Map((await berth.accounts.list({ limit: 200 }).page()).items.map(({ id, name }) => [id, name]));

/** Accounts. */
export const accountKind: Kind<Account> = {
  ...{ noun: 'account', prefix: 'acc', list: 'account list', tell: ({ name }) => name },
  get: (berth, id) => berth.accounts.get(id),
  named: async (berth, name) => (await berth.accounts.list().all()).filter((one) => one.name === name),
};

/**
 * The account that is meant, where one may be left out.
 * @throws UsageError that lists them where there are several
 */
export async function accountOf(desk: Desk, text: string | undefined): Promise<Account> {
  if (text !== undefined) return find(desk, accountKind, text);
  const { items, nextCursor } = await desk.berth.accounts.list({ limit: 20 }).page();
  const [first, ...others] = items;
  if (!first) throw new NotThereError('You see no account.');
  if (others.length === 0) return first;
  const names = items.map(({ name }) => name).join(', ');
  throw new UsageError(`You see several accounts; say --account: ${names}${nextCursor === null ? '' : ', ...'}`);
}

/** The groups of an account are found by name, too. */
export const groupKind: Kind<{ id: string; name: string; account: string }> = {
  ...{ noun: 'group', prefix: 'grp', list: 'group list', tell: ({ account }) => `in ${account}` },
  get: (berth, id) => berth.groups.get(id),
  named: (berth, name) => berth.groups.list({ name }).all(),
};

/** Hosts, for operators. */
export const hostKind: Kind<Host> = {
  ...{ noun: 'host', prefix: 'hst', list: 'host list', tell: ({ state }) => state },
  get: (berth, id) => berth.hosts.get(id),
  named: async (berth, name) => (await berth.hosts.list({ limit: 200 }).all()).filter((one) => one.name === name),
};

/** Users. */
export const userKind: Kind<User> = {
  ...{ noun: 'user', prefix: 'usr', list: 'user list', tell: ({ email }) => email ?? '' },
  get: (berth, id) => berth.users.get(id),
  named: (berth, username) => berth.users.list({ username }).all(),
};
