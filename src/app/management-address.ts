// Management addresses: the pool that they come from, what SSH there is known by, and who has which.

import { checkConsolePool } from '../model/console.ts';
import { BerthError } from '../model/errors.ts';
import { findOverlappingPool, lockAddressPools } from '../store/address-pool.ts';
import { inTransaction } from '../store/database.ts';
import { findOverlappingRange } from '../store/ip-range.ts';
import * as store from '../store/management-address.ts';
import type { Context } from './context.ts';

export type { ManagedVm } from '../store/management-address.ts';

const field = 'the console pool';
/** Each may be looked for at a hundred places in vain. */
const stepMax = 1_000;

/**
 * Sets the range that management addresses are given out of from now on, and gives one to VMs without.
 * @throws BerthError `invalid_value` when it is malformed, or instances have addresses out of it
 */
export async function setConsolePool(context: Context, pool: string): Promise<void> {
  checkConsolePool(pool, field);
  const { database } = context;
  if ((await store.readConsolePool(database)) !== pool) {
    await inTransaction(database, async (tx) => {
      await lockAddressPools(tx);
      const overlapping = await findOverlappingPool(tx, pool);
      if (overlapping) {
        const holder = `host ${overlapping.hostName} gives out ${overlapping.cidr}`;
        throw new BerthError('invalid_value', `${field} is ${pool}, but ${holder}; choose a range of its own.`, field);
      }
      const range = await findOverlappingRange(tx, pool);
      if (range) {
        throw new BerthError('invalid_value', `${field} is ${pool}, which overlaps IP range ${range}.`, field);
      }
      await store.writeConsolePool(tx, pool);
    });
  }
  await giveManagementAddresses(context);
}

/** Gives an address to VMs that have none: from before there was a pool, or while all of it was taken. */
export async function giveManagementAddresses({ database }: Context): Promise<void> {
  await store.giveManagementAddresses(database, stepMax);
}

/** The installation's SSH key, made with the first pool and the same at every server; undefined before that. */
export async function ensureConsoleHostKey(context: Context, make: () => string): Promise<string | undefined> {
  const fresh = context.vault.seal(make());
  const sealed = await inTransaction(context.database, (tx) => store.ensureConsoleHostKey(tx, fresh));
  return sealed && context.vault.open(sealed);
}

/** The addresses at which somebody may look for a console now. */
export function listManagementAddresses(context: Context): Promise<{ ip: string; instanceId: string }[]> {
  return store.listManagementAddresses(context.database);
}
