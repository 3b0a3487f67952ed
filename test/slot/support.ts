// Slots on a real database without a machine: hosts that say what the test says, rentals, and what customers were told.

import { randomUUID } from 'node:crypto';
import type { Principal } from '../../src/app/authenticate.ts';
import { ensureLocalHost } from '../../src/app/bootstrap.ts';
import { startContainer, stopContainer } from '../../src/app/container.ts';
import type { Context } from '../../src/app/context.ts';
import { type HostInventory, pollAssignments } from '../../src/app/host.ts';
import { acceptReport } from '../../src/app/report.ts';
import { readSlot, type SlotView } from '../../src/app/slot.ts';
import { addSlot, type GivenSlot, type SlotFields } from '../../src/app/slot-terms.ts';
import type { MoneyWorld } from '../money/world.ts';

export const fields: SlotFields = {
  ...{ name: 'name', vcpus: 'vcpus', memoryGib: 'memory', diskGib: 'disk', gpus: 'gpus', hour: 'hour', epoch: 'epoch' },
};

const startFields = {
  ...{ slotId: 's', priceId: 'p', externalId: 'e', image: 'i', registryAuth: 'r', sshKeys: 'k', ports: 'o' },
  ...{ port: 'n', protocol: 'l', environment: 'v', startupScript: 'c', metadata: 'm' },
};

const unknownCpu = { manufacturer: null, brand: null, architecture: null, generation: null };

interface Gpu {
  id: string | null;
  name: string;
  memoryMib: number | null;
  cudaVersion: string | null;
}

/** A host that says of itself what the test says. */
export class SlotHost {
  readonly context: Context;
  readonly id: string;
  readonly name: string;
  cpuModel = 'AMD EPYC 7763 64-Core Processor';
  gpus: Gpu[] = [];
  hasEngine = true;
  cores = 16;
  memoryMib = 64 * 1024;
  diskGib = 1000;

  private constructor(context: Context, id: string, name: string) {
    this.context = context;
    this.id = id;
    this.name = name;
  }

  /** A new host with addresses of `pool`; it has not said anything yet. */
  static async make({ context }: MoneyWorld, pool: string): Promise<SlotHost> {
    const name = `host-${randomUUID().slice(0, 8)}`;
    return new SlotHost(context, await ensureLocalHost(context, name, pool), name);
  }

  /** It says what it is, and that it has done everything it was told. */
  async report(): Promise<void> {
    const { assignments } = await pollAssignments(this.context, this.id, undefined, 0, new AbortController().signal);
    const instances = assignments.map(({ instanceId, generation, desired, container }) => ({
      ...{ instanceId, generation, reason: null, restarts: 0, address: container?.address ?? null },
      ...{ vcpus: container?.vcpus ?? 0, memoryMib: container?.memoryMib ?? 0, diskGib: container?.diskGib ?? 0 },
      state: desired === 'absent' ? ('gone' as const) : ('running' as const),
    }));
    const hardware = {
      cpu: { ...unknownCpu, model: this.cpuModel },
      memory: { type: null, generation: null },
      gpus: this.gpus,
    };
    const inventory: HostInventory = {
      ...{ cores: this.cores, memoryMib: this.memoryMib, diskGib: this.diskGib, storageType: 'NVMe', hardware },
      cpuModel: this.cpuModel,
      containerEngine: this.hasEngine
        ? { name: 'Docker', version: '20.10', storageDriver: 'overlay2', diskQuota: false }
        : null,
    };
    await acceptReport(this.context, this.id, { inventory, complete: true, instances, events: [], strays: [] });
  }

  /** Lets a slot of it. @returns its id */
  add(slot: Partial<GivenSlot> = {}): Promise<string> {
    const prices = { hour: '0.1', epoch: '2' };
    const given = { name: `s-${randomUUID().slice(0, 8)}`, vcpus: 1, memoryGib: 1, diskGib: 10, gpus: [], prices };
    return addSlot(this.context, { host: this.name, ...given, ...slot }, fields);
  }
}

/** Rents a slot by the first of its prices. @returns the deployment's id */
export async function rent(context: Context, principal: Principal, slotId: string): Promise<string> {
  const { prices } = await readSlot(context, slotId);
  return rentAt(context, principal, slotId, prices[0]?.id ?? '');
}

/** Rents a slot by a price. @returns the deployment's id */
export async function rentAt(context: Context, principal: Principal, slotId: string, priceId: string): Promise<string> {
  const request = {
    ...{ slotId, priceId, externalId: null, image: 'nginx', registryAuth: null, startupScript: null },
    ...{ ports: [], environment: {}, sshKeys: [], metadata: {} },
  };
  return (await startContainer(context, principal, request, startFields)).deploymentId;
}

/** Ends a rental; the host lets go of it with its next report. */
export async function end(context: Context, principal: Principal, deploymentId: string): Promise<void> {
  await stopContainer(context, principal, deploymentId);
}

/** What customers are told of a slot now. */
export const statusOf = async (context: Context, slotId: string): Promise<SlotView['status']> =>
  (await readSlot(context, slotId)).status;

/** What customers were told of a slot, oldest first. */
export async function toldOf({ database }: Context, slotId: string) {
  const rows = await database
    .selectFrom('event')
    .where('kind', 'in', ['slot.created', 'slot.updated', 'slot.removed'])
    .orderBy('id')
    .select(['kind', 'account_id', 'data'])
    .execute();
  return rows
    .filter(({ data }) => data?.slotId === slotId)
    .map(({ kind, data }) => ({
      kind,
      status: data?.status,
      prices: data?.prices as { id: string; amount: string }[],
    }));
}
