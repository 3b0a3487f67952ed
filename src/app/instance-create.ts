// Making VMs in a group where constraints allow it: of a configuration or of any size, with one disk or several, and what only
// their first boot may know. One transaction; whatever is refused leaves nothing behind.

import { gibTaken } from '../model/configuration.ts';
import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import { BerthError, shown } from '../model/errors.ts';
import { largestOf, type MicroUsd } from '../model/money.ts';
import type { PricedVm } from '../model/price.ts';
import { isAskedFor } from '../placement/filter.ts';
import type { Market } from '../placement/market.ts';
import type { Placed } from '../placement/place.ts';
import { placeVm, type WantedVm } from '../placement/place-vm.ts';
import { isBalanceShort, isGroupGone, type Tx } from '../store/database.ts';
import { insertDeployment } from '../store/deployment.ts';
import type { AtGroup } from './access.ts';
import type { Context } from './context.ts';
import {
  type CheckedInstances,
  checkInstancesRequest,
  diskOfSize,
  type InstancesFields,
  type InstancesRequest,
} from './instance-request.ts';
import { readBalance } from './ledger.ts';
import { noOffer } from './offer.ts';
import { tellNotFound } from './offer-not-found.ts';
import { type Attempt, inFreePlace, type Lessons, lookInQuote, takePlaces } from './placing.ts';
import { notInQuote, readHoldingQuote } from './quote-use.ts';
import { neededFor, tooLittle } from './too-little.ts';
import type { NewDisk } from './vm-request.ts';

/** What was made together. */
export interface Created {
  deploymentId: string;
  instanceIds: string[];
}

/**
 * Makes VMs, all or none.
 * @returns them, durable with the transaction that this is a part of
 * @throws InvalidFields, BerthError for every refusal; then nothing was written
 */
export async function createInstances(
  context: Context,
  at: AtGroup,
  request: InstancesRequest,
  fields: InstancesFields,
): Promise<Created> {
  const asked = await checkInstancesRequest(context, at, request, fields);
  // What a quote is for is sold to whoever has it.
  const checked = request.quote ? asked : await checkSold(context, asked, fields);
  let tried: Attempt | undefined;
  try {
    return await inFreePlace(context, {
      count: checked.count,
      disks: checked.disks?.length ?? 1,
      quote: checked.quote ? { ref: checked.quote, accountId: at.account.id } : undefined,
      look: (market, lessons) => lookForVms(market, checked, lessons).placed,
      write: (tx, attempt) => {
        tried = attempt;
        return write(tx, checked, attempt, fields);
      },
    });
  } catch (error) {
    const isNoOffer = error instanceof BerthError && ['no_suitable_offer', 'not_enough_offers'].includes(error.code);
    // What is suggested is of configurations, so it is for those who asked for one.
    if (tried && isNoOffer && !checked.size && !checked.disks) {
      await tellNotFound(context, at.principal, tried.market, checked);
    }
    if (isBalanceShort(error)) throw await tooLittle(context, checked.deployment, tried?.placed.placements ?? []);
    if (isGroupGone(error)) throw new BerthError('not_found', `There is no group ${at.group.name} any more.`);
    throw error;
  }
}

/** What instances would cost that could be made now. Amounts are in micro-USD. */
export interface InstancesEstimate {
  /** Null where they are of no configuration. */
  configuration: string | null;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  count: number;
  /** The dearest instance and all of them, for one epoch. */
  price: MicroUsd;
  total: MicroUsd;
  /** What is charged at once, what is held as long as they are there, and both together. */
  firstCharge: MicroUsd;
  deposit: MicroUsd;
  needed: MicroUsd;
  /** What the account has to spend. */
  available: MicroUsd;
}

/**
 * What the instances of a request would cost that was sent now; with a quote, out of what that holds and at its prices.
 * @throws as {@link createInstances} does, but for a name that is taken and money that lacks
 */
export async function estimateInstances(
  context: Context,
  at: AtGroup,
  request: InstancesRequest,
  fields: InstancesFields,
): Promise<InstancesEstimate> {
  const asked = await checkInstancesRequest(context, at, request, fields);
  const checked = request.quote ? asked : await checkSold(context, asked, fields);
  const { count, deployment } = checked;
  const { choice, placed } = await lookForEstimate(context, at.account.id, checked);
  if (!choice || placed.placed < count) throw noOffer(placed);
  const { placements } = placed;
  const total = placements.reduce((sum, share) => sum + share.price * BigInt(share.count), 0n);
  const needed = neededFor(deployment.bill, placements);
  const { vcpus, memoryMib, disks } = choice.vm;
  return {
    ...{ configuration: choice.configuration, vcpus, memoryMib, count, total, needed },
    diskGib: gibTaken(disks.map(({ sizeMib }) => sizeMib)),
    price: largestOf(placements.map(({ price }) => price)),
    firstCharge: needed - total,
    deposit: total,
    available: (await readBalance(context, deployment.accountId)).available,
  };
}

async function lookForEstimate(context: Context, accountId: string, checked: CheckedInstances) {
  const { quote, count } = checked;
  const now = await context.market.now();
  if (!quote) return lookForVms(now, checked, {});
  const held = await readHoldingQuote(context, accountId, quote);
  const look = (market: Market) => lookForVms(market, checked, {}).placed;
  const { market, placed } = lookInQuote(held, now, { count, look });
  if (placed.placed === count) return lookForVms(market, checked, {});
  throw await notInQuote(context, accountId, quote, 'What is asked for does not fit');
}

/** @throws BerthError `invalid_value` for a configuration that is not sold */
export async function checkSold<Checked extends { constraints: Constraints }>(
  context: Context,
  checked: Checked,
  fields: { configuration: string },
): Promise<Checked> {
  const { configuration } = checked.constraints;
  if (configuration === null) return checked;
  const sold = (await context.market.now()).configurations.map(({ slug }) => slug);
  if (sold.includes(configuration)) return checked;
  const message = `${fields.configuration} is ${shown(configuration)}, which is not sold; ${sold.slice(0, soldShownMax).join(', ')}${sold.length > soldShownMax ? ' and others are' : ''}.`;
  throw new BerthError('invalid_value', message, fields.configuration);
}

/** As many configurations as a sentence holds. */
const soldShownMax = 5;

/** A size that would do, and what it asks of hosts. */
export interface Choice {
  configuration: string | null;
  vm: PricedVm & { disks: readonly NewDisk[] };
  constraints: Constraints;
}

/** What is looked for. */
export type WantedVms = Pick<CheckedInstances, 'size' | 'disks' | 'constraints' | 'count'>;

/** The sizes that would do, from the smallest. */
function choicesOf(market: Market, { size, disks, constraints }: WantedVms): Choice[] {
  if (size && disks) return [{ configuration: null, vm: { ...size, disks, addresses: 1 }, constraints }];
  const asked = market.configurations.filter((configuration) => isAskedFor(constraints, configuration));
  return asked.map((configuration): Choice => {
    const { vcpus, memoryMib, diskGib } = configuration.size;
    const own = disks ?? [diskOfSize(configuration.size, additionalGibOf(constraints))];
    // Larger disks than the configuration's are additional storage, whichever way they are asked for.
    const extra = gibTaken(own.map(({ sizeMib }) => sizeMib)) - diskGib;
    const [first] = constraints.additionalStorage;
    const additionalStorage = extra > 0 ? [{ type: first?.type ?? null, gib: extra }] : [];
    return {
      configuration: configuration.slug,
      vm: { vcpus, memoryMib, disks: own, addresses: 1 },
      constraints: { ...constraints, additionalStorage },
    };
  });
}

/** Takes the smallest size that enough places exist for; where there is none, the one that found the most. */
export function lookForVms(
  market: Market,
  checked: WantedVms,
  lessons: Lessons & Pick<WantedVm, 'isInDefaultPool'>,
): { choice: Choice | null; placed: Placed } {
  let best: { choice: Choice | null; placed: Placed } = {
    choice: null,
    placed: { configuration: null, size: null, placements: [], placed: 0 },
  };
  const { count } = checked;
  for (const choice of choicesOf(market, checked)) {
    const { vm, constraints, configuration } = choice;
    const placed = placeVm(market, { vm, datacenter: null, constraints, count, ...lessons });
    if (best.choice === null || placed.placed > best.placed.placed) {
      best = { choice, placed: { ...placed, configuration } };
    }
    if (placed.placed === count) break;
  }
  return best;
}

async function write(tx: Tx, checked: CheckedInstances, attempt: Attempt, fields: { name: string }): Promise<Created> {
  const { placed, shares, market } = attempt;
  const { id, accountId, groupId, name, createdAt } = checked.deployment;
  if (!(await insertDeployment(tx, { id, accountId, groupId, name, now: createdAt }))) {
    throw new BerthError('name_taken', `An instance named ${shown(name)} is in this group already.`, fields.name);
  }
  const choice = choicesOf(market, checked).find(({ configuration }) => configuration === placed.configuration);
  if (!choice || placed.placed < checked.count) throw noOffer(placed);
  const { vcpus, memoryMib, disks } = choice.vm;
  await takePlaces(tx, { ...checked.deployment, vcpus, memoryMib, disks }, attempt);
  return { deploymentId: id, instanceIds: shares.flatMap(({ instances }) => instances.map((one) => one.id)) };
}
