// What a host has and nobody owns: shown, and removed when an operator says so.

import { BerthError } from '../model/errors.ts';
import { claimAddressForOrphan } from '../store/address.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import {
  forgetOrphans,
  keepOnlyOrphans,
  type OrphanFilter,
  orderRemoval,
  listOrphans as read,
  type SeenOrphan,
  writeOrphans,
} from '../store/orphan.ts';
import type { Context } from './context.ts';
import type { HostReport } from './host-report.ts';
import { operatorEvent } from './operator.ts';

export type { SeenOrphan } from '../store/orphan.ts';

/** What a host has and no assignment explains is shown, and its address kept from others. Nothing is ordered. */
export async function noteOrphans(
  context: Context,
  hostId: string,
  report: HostReport,
  known: ReadonlySet<string>,
): Promise<void> {
  const strange = report.instances.filter(({ instanceId }) => !known.has(instanceId));
  const orphans = strange.filter(({ state }) => state !== 'gone');
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
  await noteRemoved(
    context,
    hostId,
    strange.filter(({ state }) => state === 'gone').map(({ instanceId }) => instanceId),
  );
  if (report.complete)
    await keepOnlyOrphans(
      context.database,
      hostId,
      orphans.map(({ instanceId }) => instanceId),
    );
}

async function noteRemoved(context: Context, hostId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await inTransaction(context.database, async (tx) => {
    const removed = await forgetOrphans(tx, hostId, ids);
    const events = removed.map((id) => {
      const message = `${id}, which nobody owned, was removed from its host.`;
      return operatorEvent(context, 'orphan.removed', message, { hostId, data: { instance: id } }, 'agent');
    });
    await insertEvents(tx, events);
  });
}

/** Orphans, by id. */
export function listOrphans({ database }: Context, filter: OrphanFilter): Promise<SeenOrphan[]> {
  return read(database, filter);
}

/**
 * One orphan.
 * @throws BerthError `not_found`
 */
export async function findOrphan({ database }: Context, instanceId: string): Promise<SeenOrphan> {
  const [orphan] = await read(database, { instanceId, limit: 1 });
  if (!orphan) throw new BerthError('not_found', 'There is no such orphan; its host may have it no more.');
  return orphan;
}

/**
 * Tells an orphan's host to switch it off and erase it. Nobody can bring it back. Told again, nothing more happens.
 * @throws BerthError `not_found`
 */
export async function removeOrphan(context: Context, instanceId: string, actor: string): Promise<void> {
  const { hostId, removing } = await findOrphan(context, instanceId);
  if (removing) return;
  await inTransaction(context.database, async (tx) => {
    // Hosts first, as everywhere.
    const revision = (await bumpRevisions(tx, [hostId])).get(hostId) ?? 0n;
    if (!(await orderRemoval(tx, { instanceId, hostId, revision }))) {
      throw new BerthError('not_found', 'Its host has this orphan no more.');
    }
    const message = `${instanceId}, which nobody owns, is to be removed from its host.`;
    const told = { hostId, data: { instance: instanceId } };
    await insertEvents(tx, [operatorEvent(context, 'orphan.removal_ordered', message, told, actor)]);
  });
  context.wakeups.changed([hostId]);
}
