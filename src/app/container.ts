// Containers: a slot is rented by starting one on it, and free again once it is over. Starting is one transaction: whatever is
// refused leaves nothing behind, and what was answered is durable.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../model/canonical-json.ts';
import { type ContainerPort, sshPortOf } from '../model/container.ts';
import { BerthError, shown } from '../model/errors.ts';
import { isUuid, newInstanceId, newUuid } from '../model/id.ts';
import { ingressUrl } from '../model/ingress.ts';
import type { InstanceStatus } from '../model/instance.ts';
import { formatUsd } from '../model/money.ts';
import type { PortRule } from '../model/port-rule.ts';
import { subjectOf } from '../model/quote.ts';
import type { ContainerFilter, ContainerRow as StoredContainer } from '../store/container.ts';
import { findByExternalId, insertContainer, listContainers as readContainers } from '../store/container.ts';
import { inTransaction, isBalanceShort, isGroupGone, isTakenTwice, isUnavailable, type Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { findSlotHost, findSlotPrice, type SlotPriceRow, takeSlot } from '../store/slot.ts';
import type { Principal } from './authenticate.ts';
import {
  type CheckedStart,
  checkExternalId,
  checkStart,
  type StartFields,
  type StartRequest,
} from './container-request.ts';
import type { Context } from './context.ts';
import { deleteInstances } from './instance-end.ts';
import { readBalance } from './ledger.ts';
import { wasCommitted } from './lost-commit.ts';
import { endExpiredQuotes } from './quote-end.ts';
import { spendQuote } from './quote-use.ts';

export type { ContainerFilter } from '../store/container.ts';
export type { StartFields, StartRequest } from './container-request.ts';

/** A container as its owner sees it, with where its ports are reached. */
export interface ContainerRow extends Omit<StoredContainer, 'ports' | 'ingress' | 'hasSshKeys'> {
  ports: (ContainerPort & { url: string | null })[];
  ssh: { host: string; port: number; user: string } | null;
  /** When it was over; null until then. */
  endedAt: Date | null;
}

/**
 * Starts a container on a slot. The same external id with the same request is the same container.
 * @returns its deployment's id, durable
 * @throws BerthError for every refusal; then nothing was written
 */
export async function startContainer(
  context: Context,
  principal: Principal,
  request: StartRequest,
  fields: StartFields,
): Promise<{ deploymentId: string }> {
  // It may hold a registry's password.
  const requestSha256 = context.vault.digest(canonicalJson(request));
  const before = await startedBefore(context, principal, request, requestSha256, fields);
  if (before) return before;
  const checked = await checkStart(context, principal, request, fields);
  const ids = { id: newInstanceId(context.entropy), deploymentId: newUuid(context.entropy) };
  const { deploymentId } = ids;
  try {
    const start = () =>
      inTransaction(context.database, (tx) => take(context, tx, principal, checked, { ...ids, requestSha256 }));
    const hostId = await start().catch(async (error: unknown) => {
      const isHeld = error instanceof BerthError && error.code === 'slot_not_available';
      // What a quote has held for too long is free, though nobody has noted it yet.
      if (isHeld && (await endExpiredQuotes(context)) > 0) return start();
      throw error;
    });
    context.wakeups.changed([hostId]);
    return { deploymentId };
  } catch (thrown) {
    const isThere = async () => (await findBy(context, principal, { deploymentId })) !== undefined;
    if (isUnavailable(thrown) && (await wasCommitted(isThere))) return { deploymentId };
    // Whoever waited for the host's row meets what the winner wrote meanwhile only when it writes itself.
    const error = isTakenTwice(thrown, 'assignment_slot_id_key') ? notAvailable(request.slotId) : thrown;
    const isLate = error instanceof BerthError && error.code === 'slot_not_available';
    if (isLate || isTakenTwice(error, 'container_account_id_external_id_key')) {
      // The same request, sent twice at once, may have been quicker; it is committed by now.
      const same = await startedBefore(context, principal, request, requestSha256, fields);
      if (same) return same;
    }
    if (isGroupGone(error)) throw new BerthError('not_found', 'There is no such group any more.', 'group');
    if (isBalanceShort(error)) throw await tooLittle(context, principal, request.priceId);
    throw error;
  }
}

/** What a request with this external id has started before. @throws BerthError `external_id_reused` */
async function startedBefore(
  context: Context,
  { accountId }: Principal,
  request: StartRequest,
  requestSha256: Uint8Array,
  fields: StartFields,
): Promise<{ deploymentId: string } | undefined> {
  const externalId = checkExternalId(request.externalId, fields.externalId);
  if (externalId === null) return undefined;
  const known = await findByExternalId(context.database, accountId, externalId);
  if (!known) return undefined;
  // Of those that an older Berth has started there is a bare hash.
  const bare = createHash('sha256').update(canonicalJson(request)).digest();
  const isSame = [requestSha256, bare].some((one) => Buffer.from(known.requestSha256).equals(one));
  if (isSame) return { deploymentId: known.deploymentId };
  const message = `${fields.externalId} ${shown(externalId)} was used for a different request; its deployment is ${known.deploymentId}.`;
  throw new BerthError('external_id_reused', message, fields.externalId);
}

async function take(
  context: Context,
  tx: Tx,
  { accountId, actor }: Principal,
  checked: CheckedStart,
  own: { id: string; deploymentId: string; requestSha256: Uint8Array },
): Promise<string> {
  const { slotId, priceId, quote } = checked;
  if (quote) {
    const now = context.clock.now();
    const used = await spendQuote(tx, { quote, accountId, deploymentId: own.deploymentId, actor, now });
    if (!used.holds.some(({ slot }) => slot?.id === slotId && slot.priceId === priceId)) {
      throw new BerthError(
        'quote_too_small',
        `The quote ${quote.shown} is not for the machine ${slotId} at the price ${priceId}.`,
        subjectOf(quote),
      );
    }
  }
  const slot = await takeSlot(tx, slotId);
  if (!slot && (await findSlotHost(tx, slotId)) === undefined) {
    throw new BerthError('not_found', `There is no machine ${shown(slotId)}.`, slotId);
  }
  const price = await priceOf(tx, slotId, priceId, quote !== undefined);
  if (!slot) throw notAvailable(slotId);
  const address = await insertContainer(tx, {
    ...checked,
    ...slot,
    ...own,
    ...{ accountId, actor },
    diskId: newUuid(context.entropy),
    depositId: newUuid(context.entropy),
    name: checked.name ?? `c-${own.id.slice(2, 14)}`,
    groupId: checked.groupId ?? null,
    slotPriceId: priceId,
    priceMicroUsd: price.amountMicroUsd,
    period: price.unit === 'hour' ? 'per-second' : 'daily-per-second',
    portRules: openPortsOf(checked.ports, checked.sshKeys),
    createdAt: context.clock.now(),
  });
  if (address === 'name-taken') {
    const message = `An instance named ${shown(checked.name)} is in this group already.`;
    throw new BerthError('name_taken', message, 'name');
  }
  if (address === null) {
    throw new BerthError(
      'slot_not_available',
      `The machine ${slotId} has no address left to give; try another.`,
      slotId,
    );
  }
  await insertEvents(
    tx,
    checked.cutSshKeys.map((field) => ({
      ...{ accountId, instanceId: own.id, hostId: slot.hostId, actor, data: { field }, createdAt: context.clock.now() },
      ...{ kind: 'ssh-key.left-out', message: `${field} is cut short with dots; it lets nobody in.` },
    })),
  );
  return slot.hostId;
}

/** What is open from outside on a container's own address; HTTPS ports are reached by name, at the host's ingress. */
function openPortsOf(ports: readonly ContainerPort[], sshKeys: readonly string[]): PortRule[] {
  const open = ports.flatMap(({ hostPort, protocol }) => (protocol === 'tcp' ? [hostPort] : []));
  if (sshKeys.length > 0) open.push(sshPortOf(ports));
  return open.map((port) => ({ port, protocol: 'tcp' }));
}

/**
 * The price that a container is to be billed by.
 * @param isLocked whether it holds although it is withdrawn by now
 * @throws BerthError `not_found`, and `price_stale` when it is withdrawn or another slot's
 */
async function priceOf(tx: Tx, slotId: string, priceId: string, isLocked: boolean): Promise<SlotPriceRow> {
  const price = await findSlotPrice(tx, priceId);
  if (!price) throw new BerthError('not_found', `There is no machine price ${shown(priceId)}.`, priceId);
  if (price.slotId !== slotId) {
    throw new BerthError('price_stale', `The price ${priceId} is not one of the machine ${slotId}.`, priceId);
  }
  if (price.isWithdrawn && !isLocked) {
    throw new BerthError(
      'price_stale',
      `The price ${priceId} is not offered any more; read the machine again.`,
      priceId,
    );
  }
  return price;
}

const notAvailable = (slotId: string) =>
  new BerthError(
    'slot_not_available',
    `The machine ${slotId} is rented or inactive; choose one that is available.`,
    slotId,
  );

async function tooLittle(context: Context, { accountId }: Principal, priceId: string): Promise<BerthError> {
  const price = await findSlotPrice(context.database, priceId);
  const { available } = await readBalance(context, accountId);
  const message = `The balance is too low: the deposit is ${formatUsd(price?.amountMicroUsd ?? 0n)} USD, and ${formatUsd(available)} USD are available.`;
  return new BerthError('insufficient_balance', message);
}

/**
 * One of the account's containers, by its deployment's id or else by the external id that it was started with.
 * @throws BerthError `not_found`
 */
export async function findContainer(context: Context, principal: Principal, id: string): Promise<ContainerRow> {
  const byId = isUuid(id) ? await findBy(context, principal, { deploymentId: id.toLowerCase() }) : undefined;
  const found = byId ?? (await findBy(context, principal, { externalId: id }));
  if (!found) throw new BerthError('not_found', `There is no deployment ${shown(id)}.`, id);
  return found;
}

/** One of the account's containers by its external id alone. @throws BerthError `not_found` */
export async function findContainerByExternalId(
  context: Context,
  principal: Principal,
  externalId: string,
): Promise<ContainerRow> {
  const found = await findBy(context, principal, { externalId });
  if (!found)
    throw new BerthError('not_found', `There is no deployment with the external id ${shown(externalId)}.`, externalId);
  return found;
}

async function findBy(
  context: Context,
  { accountId }: Principal,
  filter: ContainerFilter,
): Promise<ContainerRow | undefined> {
  if (!canFit(filter)) return undefined;
  const { rows } = await readContainers(context.database, accountId, filter, { limit: 1, offset: 0 });
  return rows[0] && shownContainer(rows[0]);
}

/** What changes of a container in its life. */
export type ContainerMoment = Pick<
  StoredContainer,
  'status' | 'statusReason' | 'failureCode' | 'statusChangedAt' | 'activatedAt'
>;

/** One of an account's containers as it was at a moment that is past. @throws BerthError `not_found` */
export async function readContainerAt(
  context: Context,
  accountId: string,
  deploymentId: string,
  moment: ContainerMoment,
): Promise<ContainerRow> {
  const { rows } = await readContainers(context.database, accountId, { deploymentId }, { limit: 1, offset: 0 });
  if (!rows[0]) throw new BerthError('not_found', `There is no deployment ${shown(deploymentId)}.`, deploymentId);
  return shownContainer({ ...rows[0], ...moment });
}

/** The account's containers, those that are over included, oldest first. */
export async function listContainers(
  context: Context,
  { accountId }: Principal,
  filter: ContainerFilter,
  { page, perPage }: { page: number; perPage: number },
): Promise<{ total: number; rows: ContainerRow[] }> {
  if (!canFit(filter)) return { total: 0, rows: [] };
  const window = { limit: perPage, offset: (page - 1) * perPage };
  const { total, rows } = await readContainers(context.database, accountId, filter, window);
  return { total, rows: rows.map(shownContainer) };
}

/** Whether the database can be asked for it; ids that customers look for may be any text. */
function canFit({ slotId, externalId }: ContainerFilter): boolean {
  return (slotId === undefined || isUuid(slotId)) && !externalId?.includes('\0');
}

const overStatuses: ReadonlySet<InstanceStatus> = new Set(['deleted', 'failed', 'terminated']);

/** What a container is reached by: where each of its ports leads, and its SSH. */
export function reachOf({
  instanceId,
  status,
  address,
  ports,
  ingress,
  hasSshKeys,
}: Pick<StoredContainer, 'instanceId' | 'status' | 'address' | 'ports' | 'ingress' | 'hasSshKeys'>): Pick<
  ContainerRow,
  'ports' | 'ssh'
> {
  const isOver = overStatuses.has(status);
  return {
    ports: ports.map(({ hostPort, protocol }) => {
      const url = protocol === 'https' && ingress && !isOver ? ingressUrl(instanceId, hostPort, ingress) : null;
      return { hostPort, protocol, url };
    }),
    ssh: hasSshKeys && address ? { host: address, port: sshPortOf(ports), user: 'root' } : null,
  };
}

function shownContainer(stored: StoredContainer): ContainerRow {
  const { ports: _ports, ingress: _ingress, hasSshKeys: _hasSshKeys, ...row } = stored;
  return { ...row, ...reachOf(stored), endedAt: overStatuses.has(row.status) ? row.statusChangedAt : null };
}

/**
 * Ends a container. One that is over or is being ended already stays as it is.
 * @returns its deployment's id
 * @throws BerthError `not_found`
 */
export async function stopContainer(
  context: Context,
  principal: Principal,
  id: string,
): Promise<{ deploymentId: string }> {
  const { deploymentId, instanceId, status } = await findContainer(context, principal, id);
  if (status === 'deleting' || overStatuses.has(status)) return { deploymentId };
  try {
    await deleteInstances(context, principal, [instanceId], 'deployment_id');
  } catch (error) {
    // Somebody else has ended it meanwhile.
    if (!(error instanceof BerthError && ['wrong_state', 'not_found'].includes(error.code))) throw error;
  }
  return { deploymentId };
}
