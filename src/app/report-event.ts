// What a report adds to instances' histories: what the host tells of itself, and what follows from what it sees.

import type { Verdict } from '../model/assignment.ts';
import type { Tx } from '../store/database.ts';
import type { NewEvent } from '../store/event.ts';
import { type AssignmentState, readAssignmentStates } from '../store/observation.ts';
import type { Context } from './context.ts';
import type { HostReport } from './host-report.ts';

/** An instance as it was, and what a report means for it. */
export interface Judged {
  held: AssignmentState;
  verdict: Verdict;
}

const statusMessages: Record<AssignmentState['status'], string> = {
  launching: 'Is being brought up.',
  active: 'Runs.',
  stopped: 'Was switched off.',
  failed: 'Failed.',
  terminated: 'Was ended: nothing was left to pay with.',
  'soft-deleted': 'Was deleted; it can be brought back for a while.',
  deleting: 'Is being deleted.',
  deleted: 'Is gone; its address and capacity are free again.',
};

/** The lines that a report is worth. @param judged the instances that it tells something new of */
export async function eventsOf(
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
