// Brings a database to the point where it can be used: an account with its first key, this machine as a host, the catalog.
// Every step makes sure of something rather than creating it, so a start that was killed half-way is mended by the next.

import { parseCidr } from '../model/cidr.ts';
import { parseConfiguration } from '../model/configuration.ts';
import { newUuid } from '../model/id.ts';
import { ensureAccount, ensureApiKey, ensureUser } from '../store/account.ts';
import { ensureAddressPool } from '../store/address.ts';
import { seedConfigurations } from '../store/configuration.ts';
import { inTransaction } from '../store/database.ts';
import { ensureHost } from '../store/host.ts';
import { ensureImage } from '../store/image.ts';
import { ensurePrice } from '../store/price.ts';
import { sha256 } from './authenticate.ts';
import { catalog } from './catalog.ts';
import type { Context } from './context.ts';

/** What proves who the first customer is. Made once, kept in a file that only its owner can read. */
export interface FirstAccount {
  account: string;
  apiKey: string;
  username: string;
  passwordHash: string;
}

/** Makes sure of the first account, its user and its key. */
export async function ensureFirstAccount(context: Context, first: FirstAccount): Promise<void> {
  const now = context.clock.now();
  await inTransaction(context.database, async (tx) => {
    const accountId = await ensureAccount(tx, { id: newUuid(context.entropy), name: first.account, now });
    const { username, passwordHash } = first;
    await ensureUser(tx, { id: newUuid(context.entropy), accountId, username, passwordHash, now });
    const secretSha256 = sha256(first.apiKey);
    await ensureApiKey(tx, { id: newUuid(context.entropy), accountId, name: 'first', secretSha256, now });
  });
}

/**
 * Makes sure of a host under the settings' rates and ratios, with one address pool.
 * @param pool a range such as `127.44.0.0/16`
 * @returns the host's id
 * @throws Error when the range is malformed
 */
export async function ensureLocalHost(context: Context, name: string, pool: string): Promise<string> {
  const range = parseCidr(pool);
  if (!range) throw new Error(`The address pool ${pool} is not an IPv4 range such as 127.44.0.0/16.`);
  const now = context.clock.now();
  const { rates, overcommit } = context.settings;
  return inTransaction(context.database, async (tx) => {
    const priceId = await ensurePrice(tx, { id: newUuid(context.entropy), rates, now });
    const terms = {
      priceId,
      vcpuOvercommit: overcommit.cpu,
      memoryOvercommit: overcommit.memory,
      diskOvercommit: overcommit.disk,
    };
    const hostId = await ensureHost(tx, { id: newUuid(context.entropy), name, terms, now });
    await ensureAddressPool(tx, { id: newUuid(context.entropy), hostId, cidr: pool, range });
    return hostId;
  });
}

/** Puts the settings' configurations on sale where none is yet; afterwards they are the operator's. */
export async function ensureConfigurations(context: Context): Promise<void> {
  const now = context.clock.now();
  const configurations = context.settings.configurations.flatMap((slug) => {
    const size = parseConfiguration(slug);
    return size ? [{ slug, size }] : [];
  });
  await inTransaction(context.database, (tx) => seedConfigurations(tx, configurations, now));
}

/** Makes sure of the catalog's images. */
export async function ensureCatalog(context: Context): Promise<void> {
  const now = context.clock.now();
  await inTransaction(context.database, async (tx) => {
    for (const image of catalog) await ensureImage(tx, { ...image, createdAt: now, updatedAt: now });
  });
}
