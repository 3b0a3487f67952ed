// Instances of every kind as whoever may see them does: in pages, and one by one.

import { BerthError } from '../model/errors.ts';
import { sightOf } from '../model/privilege.ts';
import {
  countInstances,
  type InstanceCount,
  type InstanceDetail,
  type InstanceFilter,
  type InstanceWindow,
  listInstanceIds,
  readInstanceDetails,
} from '../store/instance-list.ts';
import type { Caller } from './access.ts';
import type { Context } from './context.ts';
import { nextBilling, pricePerEpochOf } from './instance.ts';

export type { InstanceFilter } from '../store/instance-list.ts';

/** An instance with what it costs. */
export interface InstanceView extends InstanceDetail {
  /** For an epoch of this Berth, in micro-USD. */
  pricePerEpoch: bigint;
  /** When something is charged next; null once nothing is. */
  nextBillingAt: Date | null;
  /** For so many days after its deletion a VM can be brought back. */
  restorableDays: number;
}

/** The instances that a caller sees and asks for, the oldest first. */
export async function listInstancesInSight(
  context: Context,
  { grants }: Caller,
  filter: InstanceFilter,
  window: InstanceWindow,
): Promise<InstanceView[]> {
  const ids = await listInstanceIds(context.database, sightOf(grants), filter, window);
  return (await readInstanceDetails(context.database, ids)).map((row) => viewOf(context, row));
}

/** How many instances a caller sees, of one account where one is named, by kind and status. */
export const countInstancesInSight = (
  { database }: Context,
  { grants }: Caller,
  accountId: string | undefined,
): Promise<InstanceCount[]> => countInstances(database, sightOf(grants), accountId);

/**
 * An instance that whoever asks was found to see, or has just made or changed.
 * @throws BerthError `not_found` when it is gone again
 */
export async function readInstanceById(context: Context, id: string): Promise<InstanceView> {
  const [found] = await readInstanceDetails(context.database, [id]);
  if (!found) throw new BerthError('not_found', `There is no instance ${id} any more.`, id);
  return viewOf(context, found);
}

const viewOf = (context: Context, row: InstanceDetail): InstanceView => ({
  ...row,
  pricePerEpoch: pricePerEpochOf(context, row),
  nextBillingAt: nextBilling(row, context.clock.now()),
  restorableDays: context.settings.bytemark.purgeAfterDays,
});
