// An instance's life after it was deployed: seen, renamed, its ports changed, deleted. Changes of several instances are
// all done or none is.

import type { Funds } from '../model/bill.ts';
import { periodEnd, priceInEpochOf } from '../model/billing-period.ts';
import type { FailureCode } from '../model/container.ts';
import { BerthError, shown } from '../model/errors.ts';
import { parseInstanceId } from '../model/id.ts';
import { type InstanceStatus, requireAllowed } from '../model/instance.ts';
import type { MicroUsd } from '../model/money.ts';
import { checkName } from '../model/name.ts';
import { checkPortRules, type PortRule } from '../model/port-rule.ts';
import { replacePortRules } from '../store/address.ts';
import { order } from '../store/assignment.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { claimName, releaseUnusedNames } from '../store/deployment.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import {
  findInstances,
  type InstanceHandle,
  type InstanceRow,
  type InstanceStatusRow,
  listInstanceStatuses,
  listInstances as readInstances,
  renameInstance,
  writeStatuses,
} from '../store/instance.ts';
import type { Principal } from './authenticate.ts';
import { endBills, readFunds, settleOverdue } from './billing.ts';
import type { Context } from './context.ts';

export type { InstanceRow, InstanceStatusRow } from '../store/instance.ts';

/** Instances that one request may name. */
export const instanceIdsMax = 1_000;
/** An error message names this many. */
const namedMax = 10;
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

const pricePerEpochOf = ({ settings }: Context, { kind, priceMicroUsd, period }: InstanceRow) =>
  kind === 'vm' ? priceMicroUsd : priceInEpochOf(priceMicroUsd, period, settings.billing.period);

/** A status that ends with the instance's run; nothing is billed after it. */
const isOver = ({ status }: { status: InstanceStatus }) => status === 'failed' || status === 'terminated';

function nextBilling(row: InstanceRow, now: Date): Date | null {
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
 * @param fields how the dialect calls things: `list` the list of updates, `portRules` the ports within one
 * @throws BerthError `not_found` naming what is unknown, `invalid_value`, `name_taken`, `wrong_state`
 */
export async function updateInstances(
  context: Context,
  principal: Principal,
  updates: readonly InstanceUpdate[],
  fields: { list: string; name: string; portRules: string },
): Promise<void> {
  const checked = updates.map((update, index) => ({
    id: update.id,
    name: update.name === undefined ? undefined : checkName(update.name, `${fields.list}[${index}].${fields.name}`),
    portRules:
      update.portRules === undefined
        ? undefined
        : checkPortRules(update.portRules, `${fields.list}[${index}].${fields.portRules}`),
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
  const { deploymentId } = handle;
  if (!(await claimName(tx, { accountId: principal.accountId, name, deploymentId }))) {
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
  await order(tx, [{ instanceId: handle.id, desired: 'running', revision: revisions.get(handle.hostId) ?? 0n }]);
  const list = rules.map(({ port, protocol }) => `${port}/${protocol}`).join(', ') || 'none';
  return eventOf(context, principal, handle, 'instance.ports', `Open ports are now: ${list}.`);
}

/**
 * Orders instances away, all or none. Their hosts power them off gracefully and then erase them.
 * @returns the ids in the form that Berth writes them
 * @throws BerthError `not_found` naming what is unknown, `wrong_state`
 */
export async function deleteInstances(
  context: Context,
  principal: Principal,
  given: readonly string[],
  field: string,
): Promise<string[]> {
  const ids = checkIds(given, field);
  const hostIds = await changeInstances(context, principal, ids, new Set(ids), async (tx, handles, revisions) => {
    for (const handle of handles) requireAllowed('delete', handle);
    const now = context.clock.now();
    await endBills(
      context,
      tx,
      handles.map(({ id }) => ({ instanceId: id, neverRan: false })),
      now,
    );
    // A failed instance that its host has already let go of is over now; the others wait for their hosts' word.
    const status = ({ released }: InstanceHandle) => (released ? 'deleted' : 'deleting');
    await orderAway(tx, handles, revisions, { status, reason: null, now });
    await insertEvents(
      tx,
      handles.map((handle) => eventOf(context, principal, handle, 'instance.deleting', 'Deletion was ordered.')),
    );
  });
  context.wakeups.changed(hostIds);
  return ids;
}

/**
 * Ends those of the instances that nothing pays for any more: their hosts erase them, and they are shown until they are
 * deleted.
 */
export async function terminateInstances(context: Context, ids: readonly string[]): Promise<void> {
  const now = context.clock.now();
  const reason = 'Nothing was left to pay with.';
  const hostIds = await inTransaction(context.database, async (tx) => {
    const found = await findInstances(tx, null, ids, { lock: false });
    const revisions = await bumpRevisions(
      tx,
      found.map(({ hostId }) => hostId),
    );
    const live = (await findInstances(tx, null, ids, { lock: true })).filter(({ status }) => !isGoing(status));
    const overdue = await settleOverdue(context, tx, live, now);
    const handles = live.filter(({ id }) => overdue.has(id));
    await orderAway(tx, handles, revisions, { status: () => 'terminated', reason, failureCode: 'OUT_OF_FUNDS', now });
    await insertEvents(
      tx,
      handles.map(({ id, hostId, accountId }) => ({
        ...{ accountId, instanceId: id, hostId, kind: 'instance.terminated', message: reason },
        ...{ actor: 'berth', createdAt: now },
      })),
    );
    return handles.map(({ hostId }) => hostId);
  });
  context.wakeups.changed(hostIds);
}

/** Ends an instance that never came up, if it has not come up meanwhile. Nothing is charged for it. */
export async function failInstance(
  context: Context,
  id: string,
  failureCode: FailureCode,
  reason: string,
): Promise<void> {
  const now = context.clock.now();
  const hostIds = await inTransaction(context.database, async (tx) => {
    const found = await findInstances(tx, null, [id], { lock: false });
    const revisions = await bumpRevisions(
      tx,
      found.map(({ hostId }) => hostId),
    );
    const handles = (await findInstances(tx, null, [id], { lock: true })).filter(
      ({ status }) => status === 'launching',
    );
    await endBills(
      context,
      tx,
      handles.map(({ id: instanceId }) => ({ instanceId, neverRan: true })),
      now,
    );
    await orderAway(tx, handles, revisions, { status: () => 'failed', reason, failureCode, now });
    await insertEvents(
      tx,
      handles.map(({ id: instanceId, hostId, accountId }) => ({
        ...{ accountId, instanceId, hostId, kind: 'instance.failed', message: reason },
        ...{ actor: 'berth', createdAt: now },
      })),
    );
    return handles.map(({ hostId }) => hostId);
  });
  context.wakeups.changed(hostIds);
}

/** How instances end. */
interface Ending {
  status(handle: InstanceHandle): InstanceStatus;
  reason: string | null;
  failureCode?: FailureCode | null;
  now: Date;
}

/** Tells the hosts of locked instances to erase them, and takes back the names that nobody bears any more. */
async function orderAway(
  tx: Tx,
  handles: readonly InstanceHandle[],
  revisions: ReadonlyMap<string, bigint>,
  { status, reason, failureCode = null, now }: Ending,
): Promise<void> {
  await writeStatuses(
    tx,
    handles.map((handle) => ({ id: handle.id, status: status(handle), reason, failureCode })),
    now,
  );
  await order(
    tx,
    handles.map(({ id, hostId }) => ({ instanceId: id, desired: 'absent', revision: revisions.get(hostId) ?? 0n })),
  );
  await releaseUnusedNames(tx, [...new Set(handles.map(({ deploymentId }) => deploymentId))]);
}

const isGoing = (status: InstanceStatus) => isOver({ status }) || status === 'deleting' || status === 'deleted';

type Change = (tx: Tx, handles: readonly InstanceHandle[], revisions: ReadonlyMap<string, bigint>) => Promise<void>;

/** Runs a change with the hosts' rows and then the instances' rows locked, each in id order. @returns the hosts with news */
async function changeInstances(
  context: Context,
  principal: Principal,
  ids: readonly string[],
  ordering: ReadonlySet<string>,
  change: Change,
): Promise<Set<string>> {
  return inTransaction(context.database, async (tx) => {
    const found = await findInstances(tx, principal.accountId, ids, { lock: false });
    requireAll(ids, found);
    const hostIds = new Set(found.filter(({ id }) => ordering.has(id)).map(({ hostId }) => hostId));
    const revisions = await bumpRevisions(tx, [...hostIds]);
    const locked = await findInstances(tx, principal.accountId, ids, { lock: true });
    // While this waited for the hosts, another deletion may have been ordered and carried out.
    requireAll(ids, locked);
    await change(tx, locked, revisions);
    return hostIds;
  });
}

function requireAll(ids: readonly string[], found: readonly InstanceHandle[]): void {
  const missing = ids.filter((id) => !found.some((instance) => instance.id === id));
  if (missing.length === 0) return;
  const more = missing.length > namedMax ? ` and ${missing.length - namedMax} more` : '';
  const list = missing.slice(0, namedMax).join(', ') + more;
  throw new BerthError('not_found', `There is no instance ${list}; nothing was changed.`, missing[0]);
}

function checkCount(ids: readonly string[], field: string): readonly string[] {
  if (ids.length > instanceIdsMax) {
    throw new BerthError(
      'invalid_value',
      `${field} has ${ids.length} entries; at most ${instanceIdsMax} are taken.`,
      field,
    );
  }
  return ids;
}

function checkIds(given: readonly string[], field: string): string[] {
  const ids = checkCount(given, field).map((id) => {
    const parsed = parseInstanceId(id);
    if (!parsed) throw new BerthError('not_found', `There is no instance ${shown(id)}; nothing was changed.`, id);
    return parsed;
  });
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice) throw new BerthError('invalid_value', `${field} names ${twice} twice.`, field);
  return ids;
}

function eventOf(
  context: Context,
  principal: Principal,
  handle: InstanceHandle,
  kind: string,
  message: string,
): NewEvent {
  return {
    accountId: principal.accountId,
    instanceId: handle.id,
    hostId: handle.hostId,
    kind,
    message,
    actor: principal.actor,
    createdAt: context.clock.now(),
  };
}
