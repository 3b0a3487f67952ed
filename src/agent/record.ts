// What the agent must remember of an instance across its own death: the newest order it has accepted, and how far it came.
// One small file each, replaced atomically. Losing them all is survivable: what runs is found by looking.

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Assignment } from '../api/agent/contract/order.ts';
import { writeDurably } from '../host/durable-file.ts';
import { Turns } from '../model/turns.ts';

/** What is remembered of one instance. */
export interface InstanceRecord {
  assignment: Assignment;
  /** It has run at least once; from then on a dead VM is restarted and never given up. */
  ran: boolean;
  /** Given up, with the reason for the customer; and for programs, what it was. */
  failure: string | null;
  failureCode?: string;
  /** How often its hypervisor was restarted after dying. */
  restarts: number;
  /** The newest acts that were begun with, so that none is done twice. */
  acts?: string[];
  /** When everything of it was erased (RFC 3339); the record then only fences off older orders. */
  goneAt: string | null;
}

/** How long an erased instance's record stays, to refuse orders from a database that was put back to an older copy. */
const tombstoneKeptMs = 30 * 24 * 60 * 60 * 1000;

/** The records of one agent. */
export class Records {
  readonly #directory: string;
  readonly #records = new Map<string, InstanceRecord>();
  readonly #turns = new Map<string, Turns>();

  /** @param directory made when missing */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads all records; one that can't be read counts as lost. @returns the ids of those */
  async open(now: Date): Promise<string[]> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const lost: string[] = [];
    for (const name of await readdir(this.#directory)) {
      const id = name.replace(/\.json$/, '');
      if (id === name) {
        await rm(join(this.#directory, name), { force: true });
        continue;
      }
      try {
        const record = upgraded(JSON.parse(await readFile(join(this.#directory, name), 'utf8')) as InstanceRecord);
        if (record.goneAt && now.getTime() - Date.parse(record.goneAt) > tombstoneKeptMs) await this.remove(id);
        else this.#records.set(id, record);
      } catch {
        lost.push(id);
      }
    }
    return lost;
  }

  get(instanceId: string): InstanceRecord | undefined {
    return this.#records.get(instanceId);
  }

  all(): IterableIterator<[string, InstanceRecord]> {
    return this.#records.entries();
  }

  /**
   * Changes a record, durably. Orders arrive while the worker notes how far it came: each change starts from the newest
   * record, and they are written one after the other.
   */
  async update(instanceId: string, change: (newest: InstanceRecord | undefined) => InstanceRecord): Promise<void> {
    const turns = this.#turns.get(instanceId) ?? new Turns(1);
    this.#turns.set(instanceId, turns);
    await turns.run(async () => {
      const record = change(this.#records.get(instanceId));
      const file = join(this.#directory, `${instanceId}.json`);
      await writeDurably(file, JSON.stringify(record));
      this.#records.set(instanceId, record);
    });
  }

  /** Forgets an instance. */
  async remove(instanceId: string): Promise<void> {
    this.#records.delete(instanceId);
    this.#turns.delete(instanceId);
    await rm(join(this.#directory, `${instanceId}.json`), { force: true });
  }
}

/**
 * A record as agents write it now. Older ones wrote orders of VMs that named no disks; the server, which is asked for all
 * orders when an agent starts, gives them anew.
 */
function upgraded(record: InstanceRecord): InstanceRecord {
  const { vm } = record.assignment;
  if (!vm || 'disks' in vm) return record;
  const order: NonNullable<Assignment['vm']> = vm;
  return { ...record, assignment: { ...record.assignment, vm: { ...order, disks: [] } } };
}
