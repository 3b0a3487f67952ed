// What hosts cost, by the operator's hand. A card that was used never changes: hosts are pointed to another one, and what
// was deployed keeps the rates it was promised.

import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { type MicroUsd, parseUsd } from '../model/money.ts';
import { type RateCard, rateMax } from '../model/price.ts';
import { defaultGrade, gradesWithRate } from '../model/storage-grade.ts';
import { type Database, inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { findHost, type HostTerms, updateHost } from '../store/host-terms.ts';
import { ensurePrice, findPrice, listHostsAt, type PriceRow, listPrices as readPrices } from '../store/price.ts';
import type { Context } from './context.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';

export type { PriceRow } from '../store/price.ts';

/** Rates as decimal strings of US dollars an epoch; what is undefined stays as it is, and so do grades that are not named. */
export type GivenRates = { [Rate in keyof RateCard]?: Given<RateCard[Rate]> | undefined };
type Given<Rate> = Rate extends MicroUsd ? string : Readonly<Record<string, string>>;

/** How whoever states them calls the rates. */
export type RateFields = Record<keyof RateCard, string>;

/**
 * Lays rates that were given over those there are.
 * @throws BerthError `invalid_value`
 */
export function ratesOver(before: RateCard, given: GivenRates, fields: RateFields): RateCard {
  const { gradeGibMicroUsd: gradesGiven = {}, ...resources } = given;
  const rates = { ...before };
  for (const [rate, text] of Object.entries(resources) as [keyof typeof resources, string | undefined][]) {
    if (text !== undefined) rates[rate] = parseRate(text, fields[rate]);
  }
  const grades = Object.entries(gradesGiven).map(([grade, text]): [string, MicroUsd] => {
    const field = fields.gradeGibMicroUsd;
    if (!gradesWithRate.some((known) => known === grade)) {
      const base = `${defaultGrade} is priced by ${fields.storageGibMicroUsd}`;
      const message = `${field} names ${shown(grade)}; it must be one of ${gradesWithRate.join(', ')}, and ${base}.`;
      throw new BerthError('invalid_value', message, field);
    }
    return [grade, parseRate(text, `${field} ${grade}`)];
  });
  return { ...rates, gradeGibMicroUsd: { ...before.gradeGibMicroUsd, ...Object.fromEntries(grades) } };
}

function parseRate(text: string, field: string): MicroUsd {
  const amount = parseUsd(text);
  if (amount !== null && amount <= rateMax) return amount;
  const rule = 'it must be US dollars an epoch with at most six decimals, such as "0.25", and at most 1000000';
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}

/**
 * Sets what hosts cost from now on, each host's other rates staying as they are. All of them or none.
 * @param hosts names or ids
 * @throws BerthError `invalid_value`, `not_found`
 */
export async function setPrices(
  context: Context,
  hosts: readonly string[],
  given: GivenRates,
  fields: RateFields,
  actor = operatorActor,
): Promise<void> {
  if (Object.values(given).every((text) => text === undefined)) {
    throw new BerthError('invalid_value', `Give at least one rate: ${Object.values(fields).join(', ')}.`);
  }
  const now = context.clock.now();
  await inTransaction(context.database, async (tx) => {
    const found = new Map<string, HostTerms>();
    for (const nameOrId of hosts) {
      const host = await findHost(tx, nameOrId, { lock: false });
      if (!host) throw unknownName('host', nameOrId);
      found.set(host.id, host);
    }
    for (const id of [...found.keys()].sort()) {
      // Read again under the lock: another change of price may have come in between.
      const host = await findHost(tx, id, { lock: true });
      if (!host) throw unknownName('host', found.get(id)?.name ?? id);
      const priceId = await ensurePrice(tx, {
        id: newUuid(context.entropy),
        rates: ratesOver(host.rates, given, fields),
        now,
      });
      await updateHost(tx, id, { priceId });
      const data = Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined));
      await insertEvents(tx, [pricedEvent(context, host, data, actor)]);
    }
  });
}

/** Rate cards, the newest first. @param after the last one of the page before */
export function listPrices(
  { database }: Context,
  limit: number,
  after: { at: string; id: string } | null,
): Promise<PriceRow[]> {
  return readPrices(database, limit, after);
}

/** A rate card. @throws BerthError `not_found` */
export async function requirePrice(database: Database, id: string): Promise<PriceRow> {
  const price = await findPrice(database, id);
  if (!price) throw unknownName('price', id);
  return price;
}

/**
 * Makes sure of a rate card, for hosts to be pointed to. An equal one that is there is used again.
 * @param given rates that are left out are those of the settings
 * @throws BerthError `invalid_value`
 */
export async function addPrice(
  context: Context,
  given: GivenRates,
  fields: RateFields,
  actor = operatorActor,
): Promise<PriceRow> {
  const rates = ratesOver(context.settings.rates, given, fields);
  return inTransaction(context.database, async (tx) => {
    const id = newUuid(context.entropy);
    const priceId = await ensurePrice(tx, { id, rates, now: context.clock.now() });
    if (priceId === id) {
      await insertEvents(tx, [addedEvent(context, priceId, actor)]);
    }
    return requirePrice(tx, priceId);
  });
}

/**
 * Points a host to a rate card, for what is deployed from now on.
 * @param host its name or id
 * @throws BerthError `not_found`
 */
export async function setHostPrice(
  context: Context,
  host: string,
  priceId: string,
  actor = operatorActor,
): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    const found = await findHost(tx, host, { lock: true });
    if (!found) throw unknownName('host', host);
    const price = await requirePrice(tx, priceId);
    await updateHost(tx, found.id, { priceId: price.id });
    await insertEvents(tx, [pricedEvent(context, found, { priceId }, actor)]);
  });
}

/**
 * Changes rates of a card for the hosts that are pointed to it, each other rate staying: a card never changes, so they are pointed to
 * another one, and what was deployed keeps what it was promised.
 * @param only ids of the hosts that are meant; all that have the card where it is left out
 * @returns the card that they have now, and which they are
 * @throws BerthError `invalid_value`, `not_found`
 */
export async function revisePrice(
  context: Context,
  priceId: string,
  given: GivenRates,
  fields: RateFields,
  only: readonly string[] | undefined,
  actor = operatorActor,
): Promise<{ price: PriceRow; hostIds: string[] }> {
  if (Object.values(given).every((text) => text === undefined)) {
    throw new BerthError('invalid_value', `Give at least one rate: ${Object.values(fields).join(', ')}.`);
  }
  return inTransaction(context.database, async (tx) => {
    const before = await requirePrice(tx, priceId);
    const rates = ratesOver(before.rates, given, fields);
    const hosts: HostTerms[] = [];
    for (const id of [...(only ?? (await listHostsAt(tx, priceId)))].sort()) {
      const host = await findHost(tx, id, { lock: true });
      if (!host) throw unknownName('host', id);
      if (host.priceId === priceId) hosts.push(host);
      // One that was meant by name; of all of them, it has been given another card just now, and keeps that.
      else if (only) {
        const message = `Host ${host.name} is pointed to another card than the one that is changed; leave it out.`;
        throw new BerthError('invalid_value', message, 'hosts');
      }
    }
    const id = newUuid(context.entropy);
    const revised = await ensurePrice(tx, { id, rates, now: context.clock.now() });
    if (revised === id) await insertEvents(tx, [addedEvent(context, id, actor)]);
    if (revised !== priceId) {
      for (const host of hosts) {
        await updateHost(tx, host.id, { priceId: revised });
        await insertEvents(tx, [pricedEvent(context, host, { priceId: revised }, actor)]);
      }
    }
    return { price: await requirePrice(tx, revised), hostIds: hosts.map((host) => host.id) };
  });
}

const addedEvent = (context: Context, priceId: string, actor: string) =>
  operatorEvent(context, 'price.added', 'A price was added.', { data: { priceId } }, actor);

function pricedEvent(context: Context, host: HostTerms, data: Record<string, unknown>, actor: string) {
  const message = `Host ${host.name} has another price; what runs on it keeps its own.`;
  return operatorEvent(context, 'host.priced', message, { hostId: host.id, data }, actor);
}
