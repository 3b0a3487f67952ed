// What a value may be, asked from the server for a shell that waits for it: soon, or not at all, and never with a word of what went
// wrong. Names are other people's: what a shell could take for anything but a word is left out.

import { Berth } from '../../../sdk/berth.ts';
import type { BareDesk } from '../command.ts';
import { connectionOf, readProfiles } from '../profile.ts';

/** Longer than this nobody waits for a Tab. */
const timeoutMs = 1_500;
/** More than anybody looks through. */
const valuesMax = 500;

type Ask = (berth: Berth) => AsyncIterable<string | null>;

async function* mapped<Row>(
  rows: AsyncIterable<Row>,
  of: (row: Row) => string | null,
): AsyncGenerator<string | null, void, undefined> {
  for await (const row of rows) yield of(row);
}

const named = ({ name }: { name: string }) => name;
const ided = ({ id }: { id: string }) => id;
const slugged = ({ slug }: { slug: string }) => slug;
const limit = 200;

async function* disks(berth: Berth): AsyncGenerator<string, void, undefined> {
  const names = new Map<string, string>();
  for await (const { id, name } of berth.instances.list({ kind: 'vm', limit })) names.set(id, name);
  for await (const { instance, label } of berth.disks.list({ limit })) {
    const name = names.get(instance);
    if (name !== undefined) yield `${name}/${label}`;
  }
}

async function* webhooks(berth: Berth): AsyncGenerator<string, void, undefined> {
  for await (const { id: account } of berth.accounts.list({ limit })) {
    for await (const { url } of berth.webhooks.list({ account, limit })) yield url;
  }
}

async function* keys(berth: Berth): AsyncGenerator<string, void, undefined> {
  for await (const { id: account } of berth.accounts.list({ limit })) {
    for await (const { name, state } of berth.apiKeys.list({ account, limit })) if (state === 'valid') yield name;
  }
}

async function* sshKeys(berth: Berth): AsyncGenerator<string, void, undefined> {
  for await (const { id: account } of berth.accounts.list({ limit })) {
    for await (const { name } of berth.sshKeys.list({ account, limit })) yield name;
  }
}

const kinds = {
  account: (berth) => mapped(berth.accounts.list({ limit }), named),
  address: (berth) => mapped(berth.addresses.list({ limit }), ({ address }) => address),
  'api-key': keys,
  backup: (berth) => mapped(berth.backups.list({ limit }), ({ label }) => label),
  container: (berth) => mapped(berth.instances.list({ kind: 'container', limit }), named),
  datacenter: (berth) => mapped(berth.datacenters.list({ limit }), slugged),
  deployment: (berth) => mapped(berth.deployments.list({ limit }), ided),
  disk: disks,
  group: (berth) => mapped(berth.groups.list({ limit }), named),
  host: (berth) => mapped(berth.hosts.list({ limit }), named),
  image: (berth) => mapped(berth.images.list({ limit }), slugged),
  instance: (berth) => mapped(berth.instances.list({ limit }), named),
  operation: (berth) => mapped(berth.operations.list({ limit }), ided),
  orphan: (berth) => mapped(berth.orphans.list({ limit }), ({ instance }) => instance),
  privilege: (berth) => mapped(berth.privileges.list({ limit }), ided),
  quote: (berth) => mapped(berth.quotes.list({ state: 'open', limit }), ided),
  schedule: (berth) => mapped(berth.backupSchedules.list({ limit }), ided),
  session: (berth) => mapped(berth.sessions.list({ limit }), ided),
  size: (berth) => mapped(berth.configurations.list({ limit }), slugged),
  slot: (berth) => mapped(berth.slots.list({ limit }), ided),
  'ssh-key': sshKeys,
  user: (berth) => mapped(berth.users.list({ limit }), ({ username }) => username),
  vm: (berth) => mapped(berth.instances.list({ kind: 'vm', limit }), named),
  webhook: webhooks,
} satisfies Record<string, Ask>;

/** Whether there is a list of such things. */
export const isKind = (text: string): boolean => text === 'profile' || Object.hasOwn(kinds, text);

/** No shell takes anything but a word for what consists of these. */
const isWord = (text: string) => /^[\p{L}\p{N}][\p{L}\p{N}._@:/+=,-]*$/u.test(text);

/** What a value of a kind may be, each once, as far as it was heard in time. */
export async function valuesOf(desk: BareDesk, kind: string): Promise<string[]> {
  const found = new Set<string>();
  try {
    if (kind === 'profile') return Object.keys((await readProfiles(desk.env)).profiles).filter(isWord);
    const ask: Ask | undefined = Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : undefined;
    if (!ask) return [];
    const { url, apiKey } = await connectionOf(desk.env, desk.profile);
    const bound = AbortSignal.any([desk.signal, AbortSignal.timeout(timeoutMs)]);
    const bounded: typeof fetch = (input, init) => fetch(input, { ...init, signal: bound });
    for await (const value of ask(new Berth({ url, apiKey, attempts: 1, fetch: bounded }))) {
      if (value !== null && isWord(value)) found.add(value);
      if (found.size >= valuesMax) break;
    }
  } catch {
    // What is known by now is better than nothing.
  }
  return [...found];
}
