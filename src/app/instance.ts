// An instance as it is seen after it was deployed, renamed, and given other ports. How it ends stands in instance-end.ts.

import type { Funds } from '../model/bill.ts';
import { periodEnd, priceInEpochOf } from '../model/billing-period.ts';
import { BerthError, shown } from '../model/errors.ts';
import { parseInstanceId } from '../model/id.ts';
import { isOver, requireAllowed } from '../model/instance.ts';
import type { MicroUsd } from '../model/money.ts';
import { checkName } from '../model/name.ts';
import { checkPortRules, type PortRule } from '../model/port-rule.ts';
import { closeOtherPorts, replacePortRules } from '../store/address.ts';
import { order } from '../store/assignment.ts';
import type { Tx } from '../store/database.ts';
import { claimName, releaseUnusedNames } from '../store/deployment.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import {
  type InstanceHandle,
  type InstanceRow,
  type InstanceStatusRow,
  listInstanceStatuses,
  listInstances as readInstances,
  renameInstance,
} from '../store/instance.ts';
import type { Principal } from './authenticate.ts';
import { readFunds } from './billing.ts';
import type { Context } from './context.ts';
import { changeInstances, checkCount, checkIds, eventOf } from './instance-change.ts';

export type { InstanceRow, InstanceStatusRow } from '../store/instance.ts';

/** A list without paging is cut off here rather than growing without end. */
const listMax = 10_000;

/** An instance with how its bill stands. */
export type Billed<Row> = Row & {
  fundsState: Funds;
  /** What it costs for an epoch of this Berth, in micro-USD; a container's own price may be for another time. */
  pricePerEpoch: MicroUsd;
  /** When something is charged next; null once nothing is. */
  nextBillingAt: Date | null;
};

/** An account's instances, oldest first. */
export async function listInstances(
  context: Context,
  principal: Principal,
  page?: { page: number; perPage: number },
): Promise<Billed<InstanceRow>[]> {
  const window = page ? { limit: page.perPage, offset: (page.page - 1) * page.perPage } : { limit: listMax, offset: 0 };
  const rows = await readInstances(context.database, principal.accountId, window);
  const funds = await readFunds(context, principal.accountId);
  const now = context.clock.now();
  return rows.map((row) => ({
    ...withFunds(row, funds),
    pricePerEpoch: pricePerEpochOf(context, row),
    nextBillingAt: nextBilling(row, now),
  }));
}

/** What an instance costs for an epoch of this Berth. */
export const pricePerEpochOf = (
  { settings }: Context,
  { kind, priceMicroUsd, period }: Pick<InstanceRow, 'kind' | 'priceMicroUsd' | 'period'>,
) => (kind === 'vm' ? priceMicroUsd : priceInEpochOf(priceMicroUsd, period, settings.billing.period));

/** When something of an instance is charged next; null once nothing is. */
export function nextBilling(
  row: Pick<InstanceRow, 'status' | 'paidUntil' | 'period' | 'anchorAt'>,
  now: Date,
): Date | null {
  if (isOver(row) || row.paidUntil === null) return null;
  // What is due and can't be decided yet, or paid, is looked at again and again.
  return row.paidUntil > now ? row.paidUntil : periodEnd(row.period, row.anchorAt, now);
}

function withFunds<Row extends InstanceStatusRow>(
  row: Row,
  funds: ReadonlyMap<string, Funds>,
): Row & { fundsState: Funds } {
  const { statusChangedAt, fundsChangedAt } = row;
  return {
    ...row,
    fundsState: funds.get(row.id) ?? 'enough',
    statusChangedAt: fundsChangedAt > statusChangedAt && !isOver(row) ? fundsChangedAt : statusChangedAt,
  };
}

/**
 * The status of those of the named instances that are the account's, in the order of their names; others are left out.
 * @throws BerthError `invalid_value` when too many are named
 */
export async function readStatuses(
  context: Context,
  principal: Principal,
  ids: readonly string[],
  field: string,
): Promise<(InstanceStatusRow & { fundsState: Funds })[]> {
  const parsed = new Set(checkCount(ids, field).flatMap((id) => parseInstanceId(id) ?? []));
  if (parsed.size === 0) return [];
  const rows = await listInstanceStatuses(context.database, principal.accountId, [...parsed]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const funds = await readFunds(context, principal.accountId);
  return [...parsed].flatMap((id) => byId.get(id) ?? []).map((row) => withFunds(row, funds));
}

/** A change of one instance; what is undefined stays. Ports are replaced as a whole. */
export interface InstanceUpdate {
  id: string;
  name?: string;
  portRules?: readonly { port: number; protocol: string }[];
}

/**
 * Changes instances, all or none.
 * @param fields how the dialect calls things: `list` the list of updates, empty where there is none and the request is about one
 *   instance, `portRules` the ports within one
 * @throws BerthError `not_found` naming what is unknown, `invalid_value`, `name_taken`, `wrong_state`
 */
export async function updateInstances(
  context: Context,
  principal: Principal,
  updates: readonly InstanceUpdate[],
  fields: { list: string; name: string; portRules: string },
): Promise<void> {
  const within = (index: number, name: string) => (fields.list === '' ? name : `${fields.list}[${index}].${name}`);
  const checked = updates.map((update, index) => ({
    id: update.id,
    name: update.name === undefined ? undefined : checkName(update.name, within(index, fields.name)),
    portRules:
      update.portRules === undefined ? undefined : checkPortRules(update.portRules, within(index, fields.portRules)),
  }));
  const ids = checkIds(
    checked.map(({ id }) => id),
    fields.list,
  );
  const changes = checked.map((update, index) => ({ ...update, id: ids[index] ?? update.id }));
  const withPorts = new Set(changes.filter(({ portRules }) => portRules).map(({ id }) => id));
  const hostIds = await changeInstances(context, principal, ids, withPorts, async (tx, handles, revisions) => {
    const events: NewEvent[] = [];
    // In the order given, so that a name that one gives up can be taken by the next.
    for (const change of changes) {
      const handle = handles.find(({ id }) => id === change.id);
      if (!handle) continue;
      if (change.name !== undefined) events.push(...(await rename(context, tx, principal, handle, change.name)));
      if (change.portRules) events.push(await setPorts(context, tx, principal, handle, change.portRules, revisions));
    }
    await insertEvents(tx, events);
  });
  context.wakeups.changed(hostIds);
}

async function rename(
  context: Context,
  tx: Tx,
  principal: Principal,
  handle: InstanceHandle,
  name: string,
): Promise<NewEvent[]> {
  requireAllowed('rename', handle);
  if (handle.name === name) return [];
  const { deploymentId, groupId } = handle;
  if (!(await claimName(tx, { groupId, name, deploymentId }))) {
    throw new BerthError('name_taken', `An instance named ${shown(name)} exists already.`, name);
  }
  await renameInstance(tx, handle.id, name);
  await releaseUnusedNames(tx, [deploymentId]);
  return [eventOf(context, principal, handle, 'instance.renamed', `Renamed from ${handle.name} to ${name}.`)];
}

async function setPorts(
  context: Context,
  tx: Tx,
  principal: Principal,
  handle: InstanceHandle,
  rules: readonly PortRule[],
  revisions: ReadonlyMap<string, bigint>,
): Promise<NewEvent> {
  requireAllowed('set-ports', handle);
  await replacePortRules(tx, handle.id, rules);
  await closeOtherPorts(tx, handle.id);
  await order(tx, [{ instanceId: handle.id, revision: revisions.get(handle.hostId) ?? 0n }]);
  const list = rules.map(({ port, protocol }) => `${port}/${protocol}`).join(', ') || 'none';
  return eventOf(context, principal, handle, 'instance.ports', `Open ports are now: ${list}.`);
}
