// Backups that are due by their schedules, and those that a schedule keeps no longer.

import { doDueBackups, pruneDueBackups } from '../app/backup-schedule.ts';
import type { Context } from '../app/context.ts';

/** One pass. */
export async function reconcileBackups(context: Context): Promise<void> {
  await doDueBackups(context);
  await pruneDueBackups(context);
}
