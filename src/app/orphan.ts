// What a host has and nobody owns.

import { claimAddressForOrphan } from '../store/address.ts';
import { keepOnlyOrphans, writeOrphans } from '../store/orphan.ts';
import type { Context } from './context.ts';
import type { HostReport } from './host-report.ts';

/** What a host has and no assignment explains is shown, and its address kept from others. Nothing is ordered. */
export async function noteOrphans(
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
