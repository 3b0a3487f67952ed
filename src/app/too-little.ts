// The refusal of what an account can't pay when it is deployed: what it needs, and what there is.

import { BerthError } from '../model/errors.ts';
import { formatUsd, type MicroUsd } from '../model/money.ts';
import type { Placement } from '../placement/place.ts';
import type { NewDeployment } from '../store/deployment.ts';
import { neededToDeploy } from './billing.ts';
import type { Context } from './context.ts';
import { readBalance } from './ledger.ts';

/** What must be available to deploy instances at these places: the first epoch where it is paid ahead, and the deposits. */
export function neededFor(
  bill: NewDeployment['bill'],
  placements: readonly Pick<Placement, 'price' | 'count'>[],
): MicroUsd {
  return placements.reduce((sum, { price, count }) => sum + neededToDeploy(bill, price) * BigInt(count), 0n);
}

/** The refusal of a deployment that its account can't pay at these places. */
export async function tooLittle(
  context: Context,
  { accountId, bill }: Pick<NewDeployment, 'accountId' | 'bill'>,
  placements: readonly Pick<Placement, 'price' | 'count'>[],
): Promise<BerthError> {
  const { available } = await readBalance(context, accountId);
  const needed = neededFor(bill, placements);
  const message = `The balance is too low: the first epoch and the deposit come to ${formatUsd(needed)} USD, and ${formatUsd(available)} USD are available.`;
  return new BerthError('insufficient_balance', message);
}
