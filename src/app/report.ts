// Takes a host's report: notes the heartbeat, holds each observation against what should be, and writes what follows in
// one transaction. Reports may be lost, repeated or late; the next one mends it.

import { judge, type ObservedState, runOf, type Verdict } from '../model/assignment.ts';
import type { InstanceStatus } from '../model/instance.ts';
import { claimAddressForOrphan } from '../store/address.ts';
import {
  type AssignmentState,
  order,
  readAssignmentStates,
  removeAssignments,
  writeObserved,
} from '../store/assignment.ts';
import { noteRunsEnded, startPeriods, takeBills } from '../store/bill.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { releaseUnusedNames } from '../store/deployment.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import { bumpRevisions, giveBackCapacity } from '../store/host.ts';
import { writeStatuses } from '../store/instance.ts';
import { keepOnlyOrphans, writeOrphans } from '../store/orphan.ts';
import { endBills } from './billing.ts';
import type { Context } from './context.ts';
import { type HostInventory, noteHealth } from './host.ts';
import { storable } from './storable.ts';

/** What a host says of one instance. */
export interface ReportedInstance {
  instanceId: string;
  generation: number;
  state: ObservedState;
  reason: string | null;
  restarts: number;
  address: string | null;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  /** How long it has run without a break; agents from before this was told leave it out. */
  runningMs?: number | null;
  failureCode?: string;
}

/** A host's report. */
export interface HostReport {
  inventory: HostInventory;
  complete: boolean;
  instances: readonly ReportedInstance[];
  events: readonly {
    id: string;
    instanceId: string;
    at: string;
    kind: string;
    message: string;
    data?: Record<string, unknown>;
  }[];
  strays: readonly string[];
}

/** Takes a report of the host with this id. */
export async function acceptReport(context: Context, hostId: string, given: HostReport): Promise<void> {
  const report = storable(given);
  const ids = report.instances.map(({ instanceId }) => instanceId);
  const known = await readAssignmentStates(context.database, hostId, ids, { lock: false });
  const seen = new Map(report.instances.map((instance) => [instance.instanceId, instance]));
  const now = context.clock.now();
  const news = known.filter((held) => isNews(held, seen.get(held.instanceId), now));
  if (news.length > 0 || report.events.length > 0)
    await write(
      context,
      hostId,
      report,
      news.map((held) => held.instanceId),
    );
  await noteOrphans(context, hostId, report, new Set(known.map((held) => held.instanceId)));
  await noteHealth(context, hostId, report.inventory, report.strays);
}

function isNews(held: AssignmentState, seen: ReportedInstance | undefined, now: Date): boolean {
  if (!seen) return false;
  const same =
    held.observedGeneration === seen.generation &&
    held.observedState === seen.state &&
    held.observedReason === seen.reason &&
    held.restarts === seen.restarts &&
    held.runningSince?.getTime() === runOf(held, seen, now).runningSince?.getTime();
  return !same || follows(held, judge(held, seen));
}

function follows(held: AssignmentState, verdict: Verdict): boolean {
  return verdict.release || verdict.order !== null || verdict.status !== held.status;
}

async function write(context: Context, hostId: string, report: HostReport, ids: readonly string[]): Promise<void> {
  const seenById = new Map(report.instances.map((instance) => [instance.instanceId, instance]));
  const now = context.clock.now();
  const ordered = await inTransaction(context.database, async (tx) => {
    // Whoever may end up changing what the host should do takes the host's row first, as deployments do.
    const maybeOrders = ids.some((id) => ['gone', 'failed'].includes(seenById.get(id)?.state ?? ''));
    const unlocked = await readAssignmentStates(tx, hostId, ids, { lock: false });
    const needsHost = maybeOrders || unlocked.some((held) => verdictOf(held, seenById)?.order);
    const revision = needsHost ? (await bumpRevisions(tx, [hostId])).get(hostId) : undefined;
    const held = await readAssignmentStates(tx, hostId, ids, { lock: true });
    const judged = held.flatMap((state) => {
      const verdict = verdictOf(state, seenById);
      return verdict ? [{ held: state, verdict }] : [];
    });
    await writeObserved(
      tx,
      hostId,
      held.flatMap((state) => {
        const seen = seenById.get(state.instanceId);
        return seen ? [{ ...seen, runningSince: runOf(state, seen, now).runningSince }] : [];
      }),
      now,
    );
    await noteRuns(context, tx, hostId, judged, seenById, now);
    await writeStatuses(
      tx,
      judged
        .filter(
          ({ held, verdict }) =>
            verdict.status !== held.status || (verdict.reason !== null && verdict.reason !== held.statusReason),
        )
        .map(({ held, verdict: { status, reason, failureCode } }) => {
          return { id: held.instanceId, status, reason, failureCode };
        }),
      now,
    );
    if (revision !== undefined) await carryOut(tx, hostId, judged, revision);
    await releaseUnusedNames(tx, [
      ...new Set(judged.filter(({ held, verdict }) => ended(held, verdict)).map(({ held }) => held.deploymentId)),
    ]);
    await insertEvents(tx, await eventsOf(context, tx, hostId, report, judged, now));
    return revision !== undefined;
  });
  if (ordered) context.wakeups.changed([hostId]);
}

/** What the ledger needs to know of a report: which runs are over, which instances have come up first, which never will. */
async function noteRuns(
  context: Context,
  tx: Tx,
  hostId: string,
  judged: readonly Judged[],
  seenById: ReadonlyMap<string, ReportedInstance>,
  now: Date,
): Promise<void> {
  const which = (keep: (one: Judged) => boolean) => judged.filter(keep).map(({ held }) => held.instanceId);
  const runEnded = which(({ held }) => {
    const seen = seenById.get(held.instanceId);
    return seen !== undefined && runOf(held, seen, now).ended;
  });
  const first = which(({ held, verdict }) => held.activatedAt === null && verdict.status === 'active');
  const over = judged.filter(({ held, verdict }) => ended(held, verdict));
  await takeBills(tx, [...runEnded, ...first, ...over.map(({ held }) => held.instanceId)]);
  await noteRunsEnded(tx, hostId, runEnded);
  await startPeriods(tx, first, now);
  await endBills(
    context,
    tx,
    over.map(({ held }) => ({ instanceId: held.instanceId, neverRan: held.activatedAt === null })),
    now,
  );
}

function verdictOf(held: AssignmentState, seenById: ReadonlyMap<string, ReportedInstance>): Verdict | null {
  const seen = seenById.get(held.instanceId);
  return seen ? judge(held, seen) : null;
}

const endings: ReadonlySet<InstanceStatus> = new Set(['failed', 'deleting', 'deleted']);

const ended = (held: AssignmentState, { status }: Verdict) => status !== held.status && endings.has(status);

interface Judged {
  held: AssignmentState;
  verdict: Verdict;
}

async function carryOut(tx: Tx, hostId: string, judged: readonly Judged[], revision: bigint): Promise<void> {
  const released = judged.filter(({ verdict }) => verdict.release).map(({ held }) => held);
  await removeAssignments(
    tx,
    released.map(({ instanceId }) => instanceId),
  );
  const sum = (pick: (held: AssignmentState) => number) => released.reduce((total, held) => total + pick(held), 0);
  if (released.length > 0) {
    const size = {
      vcpus: sum((held) => held.vcpus),
      memoryMib: sum((held) => held.memoryMib),
      diskGib: sum((held) => held.diskGib),
    };
    await giveBackCapacity(tx, hostId, size);
  }
  await order(
    tx,
    judged.flatMap(({ held, verdict }) =>
      verdict.order ? [{ instanceId: held.instanceId, desired: verdict.order, revision }] : [],
    ),
  );
}

const statusMessages: Record<AssignmentState['status'], string> = {
  launching: 'Is being brought up.',
  active: 'Runs.',
  stopped: 'Was switched off from inside.',
  failed: 'Failed.',
  terminated: 'Was ended: nothing was left to pay with.',
  deleting: 'Is being deleted.',
  deleted: 'Is gone; its address and capacity are free again.',
};

async function eventsOf(
  context: Context,
  tx: Tx,
  hostId: string,
  report: HostReport,
  judged: readonly Judged[],
  now: Date,
): Promise<NewEvent[]> {
  const subjects = [...new Set(report.events.map(({ instanceId }) => instanceId))];
  const owners = await readAssignmentStates(tx, hostId, subjects, { lock: false });
  const accountOf = new Map(
    [...owners, ...judged.map(({ held }) => held)].map((held) => [held.instanceId, held.accountId]),
  );
  const told = report.events.flatMap((event): NewEvent[] => {
    const accountId = accountOf.get(event.instanceId);
    if (!accountId) return [];
    const { id: agentEventId, instanceId, kind, message } = event;
    const data = event.data ? { data: event.data } : {};
    return [
      {
        accountId,
        instanceId,
        hostId,
        kind,
        message,
        actor: 'agent',
        agentEventId,
        createdAt: momentOf(event.at, now),
        ...data,
      },
    ];
  });
  const changes = judged
    .filter(({ held, verdict }) => verdict.status !== held.status)
    .map(({ held, verdict }): NewEvent => {
      const message = verdict.reason ?? statusMessages[verdict.status];
      const { instanceId, accountId } = held;
      const line = { instanceId, status: verdict.status, reason: verdict.reason };
      if (verdict.status === 'failed') context.logger.warn(line, 'instance failed');
      else context.logger.info(line, 'instance changed status');
      return {
        accountId,
        instanceId,
        hostId,
        kind: `instance.${verdict.status}`,
        message,
        actor: 'berth',
        createdAt: now,
      };
    });
  return [...told, ...changes];
}

/** When the agent says that it was; a moment that is none, or that the host's clock puts in the future, counts as now. */
function momentOf(text: string, now: Date): Date {
  const moment = new Date(text);
  return moment <= now ? moment : now;
}

/** What a host has and no assignment explains is shown, and its address kept from others. Nothing is ordered. */
async function noteOrphans(
  context: Context,
  hostId: string,
  report: HostReport,
  known: ReadonlySet<string>,
): Promise<void> {
  const orphans = report.instances.filter(({ instanceId, state }) => state !== 'gone' && !known.has(instanceId));
  if (orphans.length > 0) {
    context.logger.warn(
      { hostId, orphans: orphans.map(({ instanceId }) => instanceId).slice(0, 20) },
      'host has instances that nobody owns',
    );
    await writeOrphans(
      context.database,
      orphans.map((orphan) => ({ ...orphan, hostId })),
      context.clock.now(),
    );
    for (const { instanceId, address } of orphans) {
      if (address) await claimAddressForOrphan(context.database, instanceId, address);
    }
  }
  if (report.complete)
    await keepOnlyOrphans(
      context.database,
      hostId,
      orphans.map(({ instanceId }) => instanceId),
    );
}
