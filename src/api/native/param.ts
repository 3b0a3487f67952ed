// What the parts of paths name: `{instance}` is an instance's id.

import type { IdKind } from './id.ts';

const kinds: Record<string, IdKind> = {
  account: 'account',
  addressPool: 'addressPool',
  apiKey: 'apiKey',
  backup: 'backup',
  datacenter: 'datacenter',
  delivery: 'delivery',
  deployment: 'deployment',
  disk: 'disk',
  group: 'group',
  host: 'host',
  image: 'image',
  instance: 'instance',
  operation: 'operation',
  orphan: 'instance',
  price: 'price',
  privilege: 'privilege',
  quote: 'quote',
  schedule: 'backupSchedule',
  session: 'session',
  slot: 'slot',
  sshKey: 'sshKey',
  transaction: 'transaction',
  user: 'user',
  webhook: 'webhook',
};

/** The kind of what a part of a path names, or undefined where it is no id. */
export const kindOfParam = (name: string): IdKind | undefined => kinds[name];
