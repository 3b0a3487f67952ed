// Hosts, by the operator's hand: enrolling them, their terms, their ranges of addresses, and whether they take instances.

import { BerthError, shown } from '../model/errors.ts';
import type { HardwareOverrides } from '../model/hardware.ts';
import * as rules from '../model/host.ts';
import { newUuid } from '../model/id.ts';
import * as pools from '../store/address-pool.ts';
import { inTransaction, isTakenTwice, type Tx } from '../store/database.ts';
import { findDatacenter } from '../store/datacenter.ts';
import { insertEvents } from '../store/event.ts';
import { type HostInstanceRow, listHostInstances } from '../store/host-instance.ts';
import * as store from '../store/host-terms.ts';
import { findOverlappingRange } from '../store/ip-range.ts';
import { findOverlappingConsolePool } from '../store/management-address.ts';
import { ensurePrice } from '../store/price.ts';
import type { Context } from './context.ts';
import { applyTerms, enrolmentValidMs, makeEnrolmentToken } from './host.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';
import { type GivenRates, type RateFields, ratesOver, requirePrice } from './price.ts';

export type { AddressPoolRow } from '../store/address-pool.ts';
export type { HostInstanceRow } from '../store/host-instance.ts';
export type { HostRow } from '../store/host-terms.ts';

/** As many ranges as a host can have and a deployment still look through. */
const poolsMax = 64;

/** Hosts, by name; all of them where nothing is said of which. */
export function listHosts(context: Context, filter: store.HostFilter = {}): Promise<store.HostRow[]> {
  return store.listHosts(context.database, filter);
}

/**
 * One host, with the ranges it hands out addresses of.
 * @throws BerthError `not_found`
 */
export async function showHost(
  context: Context,
  nameOrId: string,
): Promise<store.HostRow & { pools: pools.AddressPoolRow[] }> {
  const { id } = await findHost(context.database, nameOrId, { lock: false });
  const [host] = await store.listHosts(context.database, { id });
  if (!host) throw unknownName('host', nameOrId);
  return { ...host, pools: await pools.listAddressPools(context.database, id) };
}

/** What a host begins with. */
export interface NewHost {
  name: string;
  /** A datacenter's name or id. */
  datacenter: string | undefined;
  /** Another host's name or id, whose rates this one takes; the settings' where none is named. */
  priceOf: string | undefined;
  rates: GivenRates;
  /** The price whose rates these are, in the place of all that. */
  priceId?: string | undefined;
  pools: readonly string[];
}

/**
 * Makes a one-time token that enrols a machine as this host, and the host itself where there is none of this name. Terms
 * are a new host's only: those of one that is there are changed by {@link changeHost}.
 * @throws BerthError `invalid_value`, `not_found`; `name_taken` when terms are given for a host that is there already;
 *   `wrong_state` when it is retired
 */
export async function enrolHost(
  context: Context,
  given: NewHost,
  fields: RateFields & { name: string; pools: string },
  actor = operatorActor,
): Promise<{ hostId: string; isNew: boolean; token: string; expiresAt: Date }> {
  const name = rules.checkHostName(given.name, fields.name);
  const ranges = given.pools.map((cidr) => ({ cidr, range: rules.checkPool(cidr, fields.pools) }));
  const hasTerms = Object.values({
    ...given,
    ...given.rates,
    name: undefined,
    rates: undefined,
    pools: ranges[0],
  }).some((term) => term !== undefined);
  const { id: hostId, isNew } = await inTransaction(context.database, async (tx) => {
    const known = await store.findHost(tx, name, { lock: true });
    if (known) {
      if (hasTerms) {
        const message = `There is a host ${known.name} already; leave its terms out to enrol it again.`;
        throw new BerthError('name_taken', message, fields.name);
      }
      if (known.state === 'retired') {
        throw new BerthError('wrong_state', `Host ${known.name} is retired; open it first.`, fields.name);
      }
      await insertEvents(tx, [
        operatorEvent(
          context,
          'host.token_made',
          `A token was made to enrol ${known.name} again.`,
          { hostId: known.id },
          actor,
        ),
      ]);
      return { id: known.id, isNew: false };
    }
    return insertHost(context, tx, name, given, ranges, fields, actor);
  });
  const expiresAt = new Date(context.clock.now().getTime() + enrolmentValidMs);
  return { hostId, isNew, token: await makeEnrolmentToken(context, hostId), expiresAt };
}

type Range = { cidr: string; range: ReturnType<typeof rules.checkPool> };

async function insertHost(
  context: Context,
  tx: Tx,
  name: string,
  given: NewHost,
  ranges: readonly Range[],
  fields: RateFields & { name: string; pools: string },
  actor: string,
): Promise<{ id: string; isNew: boolean }> {
  const now = context.clock.now();
  const priceId = await firstPriceOf(context, tx, given, fields);
  const datacenterId = given.datacenter === undefined ? null : await datacenterIdOf(tx, given.datacenter);
  const terms = { priceId, datacenterId, overcommit: rules.honestOvercommit, now };
  const host = await store.ensureHost(tx, { id: newUuid(context.entropy), name, ...terms });
  if (!host.isNew) throw new BerthError('name_taken', `There is a host ${name} already.`, fields.name);
  await insertPools(context, tx, host.id, ranges, fields.pools);
  const message = `Host ${name} was added.`;
  await insertEvents(tx, [operatorEvent(context, 'host.added', message, { hostId: host.id, data: { name } }, actor)]);
  return host;
}

async function firstPriceOf(
  context: Context,
  tx: Tx,
  { priceId, priceOf, rates }: NewHost,
  fields: RateFields,
): Promise<string> {
  if (priceId !== undefined) return (await requirePrice(tx, priceId)).id;
  const before = priceOf === undefined ? context.settings.rates : (await findHost(tx, priceOf)).rates;
  const row = { id: newUuid(context.entropy), rates: ratesOver(before, rates, fields), now: context.clock.now() };
  return ensurePrice(tx, row);
}

/** Changes to a host; what is undefined stays, and null takes a word back. */
export interface HostChanges {
  /** A datacenter's name or id. */
  datacenter?: string | null | undefined;
  overcommit?: { [Resource in keyof rules.Overcommit]?: number | undefined };
  hardware?: rules.HardwareChanges;
  additionalDiskGibMax?: number | null | undefined;
}

/** How whoever states them calls a host's terms; hardware by part and name, such as `cpu.brand`. */
export interface HostFields {
  overcommit: Record<keyof rules.Overcommit, string>;
  additionalDiskGibMax: string;
  hardware(part: keyof HardwareOverrides, name: string): string;
}

/**
 * Changes a host's terms; they hold at once for what is deployed from now on.
 * @throws BerthError `invalid_value`, `not_found`
 */
export async function changeHost(
  context: Context,
  nameOrId: string,
  changes: HostChanges,
  fields: HostFields,
  actor = operatorActor,
): Promise<void> {
  const hardware = checkHardware(changes.hardware ?? {}, fields);
  const additionalDiskGibMax =
    changes.additionalDiskGibMax === undefined
      ? {}
      : {
          additionalDiskGibMax: rules.checkAdditionalDiskMax(changes.additionalDiskGibMax, fields.additionalDiskGibMax),
        };
  const stated = Object.entries(changes.overcommit ?? {}).flatMap(([resource, ratio]) =>
    ratio === undefined
      ? []
      : [[resource, rules.checkRatio(ratio, fields.overcommit[resource as keyof rules.Overcommit])] as const],
  );
  await inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, nameOrId, { lock: true });
    const { datacenter } = changes;
    await store.updateHost(tx, host.id, {
      ...additionalDiskGibMax,
      ...(datacenter === undefined
        ? {}
        : { datacenterId: datacenter === null ? null : await datacenterIdOf(tx, datacenter) }),
      overcommit: { ...host.overcommit, ...Object.fromEntries(stated) },
      hardwareOverrides: rules.changedOverrides(host.hardwareOverrides, hardware),
    });
    await applyTerms(tx, host.id);
    const data = { ...changes };
    await insertEvents(tx, [
      operatorEvent(context, 'host.changed', `Host ${host.name} has other terms.`, { hostId: host.id, data }, actor),
    ]);
  });
}

function checkHardware(given: rules.HardwareChanges, fields: HostFields): rules.HardwareChanges {
  const checked: Record<string, Record<string, string | null>> = {};
  for (const part of ['cpu', 'memory', 'storage'] as const) {
    for (const [name, text] of Object.entries(given[part] ?? {})) {
      if (text === undefined) continue;
      const check = part === 'storage' ? rules.checkStorageType : rules.checkHardwareText;
      checked[part] = { ...checked[part], [name]: text === null ? null : check(text, fields.hardware(part, name)) };
    }
  }
  return checked;
}

/**
 * Gives a host another name. Nothing on it changes: hosts, slots and events are known by their ids.
 * @param field how whoever gives it calls the name
 * @throws BerthError `invalid_value`, `not_found`; `name_taken` when another host has it
 */
export async function renameHost(
  context: Context,
  nameOrId: string,
  given: string,
  field: string,
  actor = operatorActor,
): Promise<void> {
  const name = rules.checkHostName(given, field);
  const taken = new BerthError('name_taken', `Another host is called ${shown(name)} already.`, field);
  await inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, nameOrId, { lock: true });
    if (host.name === name) return;
    await store.updateHost(tx, host.id, { name });
    const data = { name, before: host.name };
    const message = `Host ${host.name} is called ${name} now.`;
    await insertEvents(tx, [operatorEvent(context, 'host.renamed', message, { hostId: host.id, data }, actor)]);
  }).catch((error: unknown) => {
    throw isTakenTwice(error, 'host_name_key') ? taken : error;
  });
}

/**
 * Opens, drains or retires a host. A drained one takes no new instances and keeps those it has.
 * @returns whether it was in another state before
 * @throws BerthError `not_found`; `wrong_state` when a host is to be retired that still has instances
 */
export async function setHostState(
  context: Context,
  nameOrId: string,
  state: rules.HostState,
  actor = operatorActor,
): Promise<boolean> {
  return inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, nameOrId, { lock: true });
    if (host.state === state) return false;
    const instances = await store.countAssignments(tx, host.id);
    if (state === 'retired' && instances > 0) {
      const what = instances === 1 ? 'an instance' : `${instances} instances`;
      const message = `Host ${host.name} still has ${what}; drain it, and retire it when they are gone.`;
      throw new BerthError('wrong_state', message, nameOrId);
    }
    await store.updateHost(tx, host.id, { state });
    const kind = state === 'open' ? 'host.opened' : `host.${state}`;
    await insertEvents(tx, [
      operatorEvent(context, kind, `Host ${host.name} is ${state}; it was ${host.state}.`, { hostId: host.id }, actor),
    ]);
    return true;
  });
}

/**
 * Lets a host hand out addresses of a range.
 * @returns the range's id
 * @throws BerthError `not_found`, `invalid_value`; `name_taken` when the range overlaps another one of any host
 */
export async function addPool(
  context: Context,
  nameOrId: string,
  cidr: string,
  field: string,
  actor = operatorActor,
): Promise<string> {
  const range = rules.checkPool(cidr, field);
  return inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, nameOrId, { lock: true });
    const { length } = await pools.listAddressPools(tx, host.id);
    if (length >= poolsMax) {
      const message = `Host ${host.name} has ${length} ranges, as many as it can have; remove one first.`;
      throw new BerthError('invalid_value', message, field);
    }
    const [id = ''] = await insertPools(context, tx, host.id, [{ cidr, range }], field);
    const message = `Host ${host.name} hands out addresses of ${cidr}.`;
    await insertEvents(tx, [
      operatorEvent(context, 'host.pool_added', message, { hostId: host.id, data: { cidr } }, actor),
    ]);
    return id;
  });
}

async function insertPools(
  context: Context,
  tx: Tx,
  hostId: string,
  ranges: readonly Range[],
  field: string,
): Promise<string[]> {
  if (ranges.length === 0) return [];
  const ids: string[] = [];
  await pools.lockAddressPools(tx);
  for (const { cidr, range } of ranges) {
    const other = await pools.findOverlappingPool(tx, cidr);
    if (other) {
      const message = `${field} is ${shown(cidr)}, which overlaps ${other.cidr} of host ${other.hostName}.`;
      throw new BerthError('name_taken', message, field);
    }
    const ipRange = await findOverlappingRange(tx, cidr);
    if (ipRange) {
      throw new BerthError('name_taken', `${field} is ${shown(cidr)}, which overlaps IP range ${ipRange}.`, field);
    }
    const consolePool = await findOverlappingConsolePool(tx, cidr);
    if (consolePool) {
      throw new BerthError(
        'name_taken',
        `${field} is ${shown(cidr)}, which overlaps ${consolePool} of consoles.`,
        field,
      );
    }
    const id = newUuid(context.entropy);
    await pools.insertAddressPool(tx, { id, hostId, cidr, range });
    ids.push(id);
  }
  return ids;
}

/**
 * Lets a host hand out no more addresses of a range; instances keep those they have.
 * @throws BerthError `not_found`
 */
export async function removePool(
  context: Context,
  nameOrId: string,
  cidr: string,
  field: string,
  actor = operatorActor,
): Promise<void> {
  rules.checkPool(cidr, field);
  await inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, nameOrId, { lock: true });
    if (!(await pools.deleteAddressPool(tx, host.id, cidr))) {
      throw new BerthError('not_found', `Host ${host.name} has no range ${cidr}.`, field);
    }
    const message = `Host ${host.name} hands out no more addresses of ${cidr}.`;
    await insertEvents(tx, [
      operatorEvent(context, 'host.pool_removed', message, { hostId: host.id, data: { cidr } }, actor),
    ]);
  });
}

/** What a host holds something of, by id. @param after the last one of the page before */
export async function listInstancesOf(
  { database }: Context,
  nameOrId: string,
  limit: number,
  after: string | null,
): Promise<HostInstanceRow[]> {
  const { id } = await findHost(database, nameOrId);
  return listHostInstances(database, id, limit, after);
}

async function findHost(
  database: Parameters<typeof store.findHost>[0],
  nameOrId: string,
  { lock } = { lock: false },
): Promise<store.HostTerms> {
  const host = await store.findHost(database, nameOrId, { lock });
  if (!host) throw unknownName('host', nameOrId);
  return host;
}

async function datacenterIdOf(tx: Tx, slugOrId: string): Promise<string> {
  const datacenter = await findDatacenter(tx, slugOrId, { lock: false });
  if (!datacenter) throw unknownName('datacenter', slugOrId);
  return datacenter.id;
}
