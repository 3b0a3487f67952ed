// Runs the reconcilers: each on its own clock, none in need of any input, all safe to run twice and on every replica.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../app/context.ts';
import { reconcileBackups } from './backup.ts';
import { reconcileBilling } from './billing.ts';
import { reconcileConsoles } from './console.ts';
import { type DriftGauges, reconcileDrift, reconcileLedger } from './drift.ts';
import { reconcileHostHealth } from './host-health.ts';
import { reconcileOperations } from './operation.ts';
import { reconcileOwnImages } from './own-image.ts';
import { purge } from './purge.ts';
import { reconcileQuotes } from './quote.ts';
import { reconcileSamples } from './sample.ts';
import { reconcileSlots } from './slot.ts';
import { reconcileUnstarted } from './unstarted.ts';
import { reconcileVmPurge } from './vm-purge.ts';

interface Reconciler {
  name: string;
  everyMs: number;
  run(context: Context, gauges: DriftGauges, signal: AbortSignal): Promise<void>;
}

const reconcilers: readonly Reconciler[] = [
  { name: 'host-health', everyMs: 2_000, run: reconcileHostHealth },
  { name: 'billing', everyMs: 5_000, run: reconcileBilling },
  { name: 'slots', everyMs: 1_000, run: reconcileSlots },
  { name: 'quotes', everyMs: 1_000, run: reconcileQuotes },
  { name: 'operations', everyMs: 1_000, run: reconcileOperations },
  { name: 'unstarted', everyMs: 5_000, run: reconcileUnstarted },
  { name: 'own-images', everyMs: 2_000, run: reconcileOwnImages },
  { name: 'backups', everyMs: 5_000, run: reconcileBackups },
  { name: 'vm-purge', everyMs: 60_000, run: reconcileVmPurge },
  { name: 'samples', everyMs: 30_000, run: reconcileSamples },
  { name: 'consoles', everyMs: 30_000, run: reconcileConsoles },
  { name: 'drift', everyMs: 15_000, run: reconcileDrift },
  { name: 'ledger', everyMs: 600_000, run: reconcileLedger },
  { name: 'purge', everyMs: 600_000, run: purge },
];

/** Starts all reconcilers. @returns a promise that resolves when `signal` has aborted and the last pass is over */
export async function startReconcilers(context: Context, gauges: DriftGauges, signal: AbortSignal): Promise<void> {
  await Promise.all(
    reconcilers.map(async ({ name, everyMs, run }) => {
      while (!signal.aborted) {
        try {
          await run(context, gauges, signal);
        } catch (error) {
          if (!signal.aborted)
            context.logger.warn({ reconciler: name, err: error }, 'reconciler failed; it runs again');
        }
        await sleep(everyMs, undefined, { signal }).catch(() => {});
      }
    }),
  );
}
