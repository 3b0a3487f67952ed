// What a host reports of itself and its instances.

import type { ActOutcome } from '../model/act.ts';
import type { ObservedState, Taken } from '../model/assignment.ts';
import type { BackupNews } from './backup.ts';
import type { HostInventory } from './host.ts';

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
  /** Of a VM that runs: which start of it this is, and what it was started with. */
  boot?: { number: number } & Taken;
  failureCode?: string;
  /** Of the disks that it was told to erase, those of which nothing is left. */
  erasedDisks?: readonly string[];
  backups?: BackupNews;
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
  /** How acts went; agents from before these leave it out. */
  acts?: readonly { id: string; outcome: ActOutcome }[];
}
