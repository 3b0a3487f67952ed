// Brings a database to the point where it can be used: an account with its first key, this machine as a host, the catalog.
// Every step makes sure of something rather than creating it, so a start that was killed half-way is mended by the next.

import { parseConfiguration } from '../model/configuration.ts';
import { checkPool } from '../model/host.ts';
import { newUuid } from '../model/id.ts';
import { ensureAccount } from '../store/account.ts';
import { insertAddressPool } from '../store/address-pool.ts';
import { ensureApiKey } from '../store/api-key.ts';
import { seedConfigurations } from '../store/configuration.ts';
import { inTransaction } from '../store/database.ts';
import { ensureHost, findHost } from '../store/host-terms.ts';
import { ensureImage } from '../store/image.ts';
import { insertTransactions, type NewTransaction } from '../store/ledger.ts';
import { ensurePrice } from '../store/price.ts';
import { insertPrivilege } from '../store/privilege.ts';
import { sha256 } from './authenticate.ts';
import { catalog } from './catalog.ts';
import type { Context } from './context.ts';
import { insertAccountUser } from './user.ts';

/** What proves who the first customer is. Made once, kept in a file that only its owner can read. */
export interface FirstAccount {
  account: string;
  apiKey: string;
  username: string;
  passwordHash: string;
}

/** Makes sure of the first account and its key; a new account gets its user. */
export async function ensureFirstAccount(context: Context, first: FirstAccount): Promise<void> {
  const now = context.clock.now();
  await inTransaction(context.database, async (tx) => {
    const { id: accountId, isNew } = await ensureAccount(tx, {
      id: newUuid(context.entropy),
      name: first.account,
      now,
    });
    const { username, passwordHash } = first;
    // Afterwards users are the operator's: one that was removed doesn't come back with the next start.
    if (isNew) {
      const userId = newUuid(context.entropy);
      // Who installs a Berth runs it.
      if (await insertAccountUser(tx, accountId, { id: userId, username, passwordHash, now })) {
        await insertPrivilege(tx, {
          ...{ userId, grant: { level: 'cluster_admin' }, apiKeyId: null, grantedBy: null, passwordRequired: true },
          ...{ secondFactorRequired: false, secondFactorAgeSecondsMax: null, fromAddresses: null, createdAt: now },
        });
      }
      const credit = openingCredit(context, accountId, now);
      if (credit.entries.every(({ amount }) => amount !== 0n)) await insertTransactions(tx, [credit]);
    }
    const secretSha256 = sha256(first.apiKey);
    await ensureApiKey(tx, { id: newUuid(context.entropy), accountId, name: 'first', secretSha256, now });
  });
}

function openingCredit({ settings, entropy }: Context, accountId: string, now: Date): NewTransaction {
  const amount = settings.billing.openingCredit;
  return {
    ...{ id: newUuid(entropy), kind: 'credit', accountId, instanceId: null, hostId: null, createdAt: now },
    ...{ reason: 'What the first account begins with', actor: 'berth' },
    entries: [
      { book: 'cash', amount: -amount },
      { book: 'available', amount },
    ],
  };
}

/**
 * Makes sure of a host. A new one begins with the settings' rates and ratios and one address pool; afterwards all of them
 * are the operator's to change.
 * @param pool a range such as `127.44.0.0/16`
 * @param enrolledAs the id of the host that this machine is known as already, whatever that is called by now
 * @returns the host's id
 * @throws BerthError `invalid_value` when the range is malformed
 */
export async function ensureLocalHost(
  context: Context,
  name: string,
  pool: string,
  enrolledAs?: string,
): Promise<string> {
  const range = checkPool(pool, 'the address pool');
  const now = context.clock.now();
  const { rates, overcommit } = context.settings;
  return inTransaction(context.database, async (tx) => {
    const enrolled = enrolledAs === undefined ? undefined : await findHost(tx, enrolledAs, { lock: false });
    const known = enrolled ?? (await findHost(tx, name, { lock: false }));
    if (known) return known.id;
    const priceId = await ensurePrice(tx, { id: newUuid(context.entropy), rates, now });
    const { id: hostId, isNew } = await ensureHost(tx, {
      id: newUuid(context.entropy),
      name,
      priceId,
      overcommit,
      now,
    });
    if (isNew) await insertAddressPool(tx, { id: newUuid(context.entropy), hostId, cidr: pool, range });
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
