// Takes a host's report: notes the heartbeat, holds each observation against what should be, and writes what follows in
// one transaction. Reports may be lost, repeated or late; the next one mends it.

import { judge, runOf, takenOf, type Verdict } from '../model/assignment.ts';
import type { InstanceStatus } from '../model/instance.ts';
import { storable } from '../model/storable.ts';
import { order, removeAssignments, writeTaken } from '../store/assignment.ts';
import { noteRunsEnded, startPeriods, takeBills } from '../store/bill.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { releaseUnusedNames } from '../store/deployment.ts';
import { insertEvents } from '../store/event.ts';
import { bumpRevisions, giveBackCapacity } from '../store/host.ts';
import { forgetImagingSecrets } from '../store/imaging-secret.ts';
import { writeStatuses } from '../store/instance.ts';
import { type AssignmentState, readAssignmentStates, writeObserved } from '../store/observation.ts';
import { settleActs } from './act.ts';
import { settleBackups } from './backup.ts';
import { endBills } from './billing.ts';
import type { Context } from './context.ts';
import { noteErasedDisks } from './disk.ts';
import { noteHealth } from './host.ts';
import type { HostReport, ReportedInstance } from './host-report.ts';
import { noteOrphans } from './orphan.ts';
import { eventsOf, type Judged } from './report-event.ts';
import { repriceVms } from './vm-price.ts';

/** Takes a report of the host with this id. */
export async function acceptReport(context: Context, hostId: string, given: HostReport): Promise<void> {
  const report = storable(given);
  await settleActs(context, hostId, report.acts ?? []);
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
  const erasedDisks = report.instances.flatMap(({ erasedDisks = [] }) => erasedDisks);
  await noteErasedDisks(context, hostId, erasedDisks);
  await settleBackups(
    context,
    hostId,
    report.instances.flatMap(({ backups }) => backups ?? []),
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
    held.observedBootNumber === (seen.boot?.number ?? null) &&
    held.runningSince?.getTime() === runOf(held, seen, now).runningSince?.getTime();
  return !same || givesBack(held, seen) || follows(held, judge(held, seen));
}

/** Whether less is to be taken of the host for it from now on. */
function givesBack(held: AssignmentState, seen: ReportedInstance | undefined): boolean {
  if (!seen) return false;
  const { vcpus, memoryMib } = takenOf(held, seen);
  return vcpus < held.taken.vcpus || memoryMib < held.taken.memoryMib;
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
    const needsHost =
      maybeOrders ||
      unlocked.some((held) => verdictOf(held, seenById)?.order || givesBack(held, seenById.get(held.instanceId)));
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
        const bootNumber = seen?.boot?.number ?? null;
        return seen ? [{ ...seen, runningSince: runOf(state, seen, now).runningSince, bootNumber }] : [];
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
    if (revision !== undefined) {
      await giveBack(context, tx, hostId, held, seenById);
      await carryOut(tx, hostId, judged, revision);
    }
    await forgetImagingSecrets(
      tx,
      judged.filter(({ verdict }) => verdict.status === 'active').map(({ held }) => held.instanceId),
    );
    await releaseUnusedNames(tx, [
      ...new Set(judged.filter(({ held, verdict }) => ended(held, verdict)).map(({ held }) => held.deploymentId)),
    ]);
    await insertEvents(tx, await eventsOf(context, tx, hostId, report, judged, now));
    return revision !== undefined;
  });
  if (ordered) context.wakeups.changed([hostId]);
  for (const id of ids) context.wakeups.changedHere(id);
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
  const cheaper = which(({ held }) => givesBack(held, seenById.get(held.instanceId)));
  await takeBills(tx, [...runEnded, ...first, ...over.map(({ held }) => held.instanceId), ...cheaper]);
  await noteRunsEnded(tx, hostId, runEnded);
  await startPeriods(tx, first, now);
  await endBills(
    context,
    tx,
    over.map(({ held }) => ({ instanceId: held.instanceId, neverRan: held.activatedAt === null })),
    now,
  );
}

/** Gives back what instances no longer have, now that they run without it. */
async function giveBack(
  context: Context,
  tx: Tx,
  hostId: string,
  held: readonly AssignmentState[],
  seenById: ReadonlyMap<string, ReportedInstance>,
): Promise<void> {
  const changes = held.flatMap((state) => {
    const seen = seenById.get(state.instanceId);
    return seen && givesBack(state, seen) ? [{ state, now: takenOf(state, seen) }] : [];
  });
  if (changes.length === 0) return;
  await writeTaken(
    tx,
    changes.map(({ state, now }) => ({ instanceId: state.instanceId, ...now })),
  );
  for (const { state, now } of changes) {
    const { taken } = state;
    const back = { vcpus: taken.vcpus - now.vcpus, memoryMib: taken.memoryMib - now.memoryMib, diskGib: 0 };
    await giveBackCapacity(tx, hostId, back);
    state.taken = now;
  }
  await repriceVms(
    context,
    tx,
    changes.map(({ state }) => state.instanceId),
    'berth',
  );
}

function verdictOf(held: AssignmentState, seenById: ReadonlyMap<string, ReportedInstance>): Verdict | null {
  const seen = seenById.get(held.instanceId);
  return seen ? judge(held, seen) : null;
}

const endings: ReadonlySet<InstanceStatus> = new Set(['failed', 'deleting', 'deleted']);

const ended = (held: AssignmentState, { status }: Verdict) => status !== held.status && endings.has(status);

async function carryOut(tx: Tx, hostId: string, judged: readonly Judged[], revision: bigint): Promise<void> {
  const released = judged.filter(({ verdict }) => verdict.release).map(({ held }) => held);
  await removeAssignments(
    tx,
    released.map(({ instanceId }) => instanceId),
  );
  const sum = (pick: (held: AssignmentState) => number) => released.reduce((total, held) => total + pick(held), 0);
  if (released.length > 0) {
    const size = {
      vcpus: sum(({ taken }) => taken.vcpus),
      memoryMib: sum(({ taken }) => taken.memoryMib),
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
