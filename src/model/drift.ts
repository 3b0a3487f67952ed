// The checker: one function that holds everything the database says against itself and against what hosts have reported.
// It runs in production behind `berth_drift` and at the end of every torture test. The schema forbids much of this; the
// checker believes nothing.

import type { Desired } from './assignment.ts';
import type { InstanceStatus } from './instance.ts';

/** Everything the checker looks at, from one moment. */
export interface Facts {
  instances: {
    id: string;
    status: InstanceStatus;
    /** Why, where there is something to say of its status. */
    statusReason: string | null;
    name: string;
    deploymentId: string;
    hostId: string;
  }[];
  assignments: {
    instanceId: string;
    hostId: string;
    desired: Desired;
    /** What it takes of its host. */
    vcpus: number;
    memoryMib: number;
    diskGib: number;
    generation: number;
    observedGeneration: number;
    observedState: string | null;
  }[];
  addresses: { ip: string; instanceId: string | null; orphanId: string | null }[];
  hosts: { id: string; vcpusUsed: number; memoryMibUsed: number; diskGibUsed: number; strays: string[] }[];
  /** What quotes hold of hosts, and what open quotes should. */
  holds: {
    quoteId: string;
    hostId: string;
    isOpen: boolean;
    isHeld: boolean;
    vcpus: number;
    memoryMib: number;
    diskGib: number;
  }[];
  orphans: { instanceId: string; hostId: string; state: string; address: string | null }[];
  /** For what VMs take of each pool of their host, in GiB: as it is booked, and as their disks and backups come to. */
  rooms: { instanceId: string; pool: string; bookedGib: number; takenGib: number }[];
  /** Names that are given away, each to a deployment. */
  names: { name: string; deploymentId: string }[];
  /** The bills that are open. */
  bills: { instanceId: string; accountId: string; heldMicroUsd: bigint; priceMicroUsd: bigint }[];
  /** What VMs should cost, by what they have. */
  prices: { instanceId: string; priceMicroUsd: bigint }[];
  /** What each account has, as the balance says. */
  balances: { accountId: string; heldMicroUsd: bigint }[];
}

export const driftKinds = ['instance', 'name', 'address', 'capacity', 'orphan', 'stray', 'bill', 'ledger'] as const;

/** One thing that is not as it should be. */
export interface Drift {
  kind: (typeof driftKinds)[number];
  subject: string;
  message: string;
}

/**
 * What is looked at, one after the other; each takes a few milliseconds where there are 10,000 instances. Work under way, such as an
 * instance that is being deleted, is no drift.
 */
export const driftChecks: readonly ((facts: Facts) => Drift[])[] = [
  instanceDrift,
  nameDrift,
  addressDrift,
  capacityDrift,
  foreignDrift,
  billDrift,
];

/** Finds everything that does not agree. */
export const findDrift = (facts: Facts): Drift[] => driftChecks.flatMap((check) => check(facts));

function instanceDrift({ instances, assignments }: Facts): Drift[] {
  const assigned = new Map(assignments.map((assignment) => [assignment.instanceId, assignment]));
  return instances.flatMap((instance): Drift[] => {
    const at = (message: string): Drift[] => [{ kind: 'instance', subject: instance.id, message }];
    const assignment = assigned.get(instance.id);
    if (living.has(instance.status)) {
      if (!assignment) return at(`is ${instance.status} but assigned to no host`);
      if (assignment.desired === 'absent') return at(`is ${instance.status} but ordered away`);
      if (instance.status === 'soft-deleted' && assignment.desired !== 'off')
        return at('is deleted but ordered to run');
      if (assignment.hostId !== instance.hostId) return at('is assigned to another host than its own');
      if (instance.status === 'active' && assignment.observedState !== 'running') {
        return at(`is active but its host last said ${assignment.observedState ?? 'nothing'}`);
      }
      if (assignment.observedGeneration > assignment.generation) return at('its host is ahead of the database');
    }
    if (instance.status === 'deleted' && assignment) return at('is deleted but still assigned');
    if (
      ['failed', 'terminated', 'deleting'].includes(instance.status) &&
      assignment &&
      assignment.desired !== 'absent'
    ) {
      return at(`is ${instance.status} but not ordered away`);
    }
    if (instance.status === 'failed' && !instance.statusReason) return at('failed and nobody can say why');
    if (instance.status === 'deleting' && !assignment) return at('is being deleted but assigned to no host');
    return [];
  });
}

/** What an instance is as long as it holds anything for its owner. */
const living: ReadonlySet<InstanceStatus> = new Set(['launching', 'active', 'stopped', 'soft-deleted']);

/** A name is given away exactly as long as an instance of its deployment bears it. */
function nameDrift({ instances, names }: Facts): Drift[] {
  const key = (row: { deploymentId: string; name: string }) => `${row.deploymentId} ${row.name}`;
  const borne = new Set(instances.filter(({ status }) => living.has(status)).map(key));
  const given = new Set(names.map(key));
  const nameless = instances
    .filter((instance) => borne.has(key(instance)) && !given.has(key(instance)))
    .map(({ id }): Drift => ({ kind: 'name', subject: id, message: 'lives under a name that is not its own' }));
  const unused = names
    .filter((row) => !borne.has(key(row)))
    .map(({ name }): Drift => ({ kind: 'name', subject: name, message: 'is given away and nothing bears it' }));
  return [...nameless, ...unused];
}

function addressDrift({ addresses, assignments, orphans }: Facts): Drift[] {
  const holders = Map.groupBy(addresses, ({ instanceId, orphanId }) => instanceId ?? orphanId);
  const missing = assignments
    .filter(({ instanceId }) => !holders.has(instanceId))
    .map(
      ({ instanceId }): Drift => ({
        kind: 'address',
        subject: instanceId,
        message: 'is assigned but holds no address',
      }),
    );
  const entitled = new Set([...assignments, ...orphans].map(({ instanceId }) => instanceId));
  const kept = addresses
    .filter(({ instanceId, orphanId }) => !entitled.has(instanceId ?? orphanId ?? ''))
    .map(({ ip }): Drift => ({ kind: 'address', subject: ip, message: 'is held by nothing that is assigned' }));
  const seen = new Set<string>();
  const twice = addresses
    .filter(({ ip }) => seen.has(ip) || !seen.add(ip))
    .map(({ ip }): Drift => ({ kind: 'address', subject: ip, message: 'is held twice' }));
  // An orphan that uses an address holds it, so that nobody else gets it; unless somebody had it already. One that is off uses
  // none, and nobody can switch it on.
  const disputed = orphans
    .filter(({ state, address }) => state !== 'off' && address !== null)
    .filter(({ instanceId, address }) => !holders.get(instanceId)?.some(({ ip }) => ip === address))
    .map(({ instanceId, address }): Drift => {
      return {
        kind: 'address',
        subject: address ?? '',
        message: `is used by the orphan ${instanceId} and held by another`,
      };
    });
  return [...missing, ...kept, ...twice, ...disputed];
}

/** What takes something of a host. */
type Taking = Pick<Facts['assignments'][number], 'hostId' | 'vcpus' | 'memoryMib' | 'diskGib'>;

function capacityDrift({ hosts, assignments, holds, rooms }: Facts): Drift[] {
  const wrong = rooms
    .filter(({ bookedGib, takenGib }) => bookedGib !== takenGib)
    .map(({ instanceId, pool, bookedGib, takenGib }): Drift => {
      const message = `has ${bookedGib} GiB of pool ${pool} booked, but its disks and backups take ${takenGib}`;
      return { kind: 'capacity', subject: instanceId, message };
    });
  const misheld = holds
    .filter(({ isOpen, isHeld }) => isOpen !== isHeld)
    .map(({ quoteId, isOpen }): Drift => {
      const message = isOpen ? 'is open and holds nothing' : 'is over and still holds something';
      return { kind: 'capacity', subject: quoteId, message };
    });
  const byHost = Map.groupBy<string, Taking>(
    [...assignments, ...holds.filter(({ isHeld }) => isHeld)],
    ({ hostId }) => hostId,
  );
  const sums = hosts.flatMap((host): Drift[] => {
    const here = byHost.get(host.id) ?? [];
    const sum = (pick: (taken: Taking) => number) => here.reduce((total, taken) => total + pick(taken), 0);
    const rows: [string, number, number][] = [
      ['vCPUs', host.vcpusUsed, sum(({ vcpus }) => vcpus)],
      ['MiB of memory', host.memoryMibUsed, sum(({ memoryMib }) => memoryMib)],
      ['GiB of disk', host.diskGibUsed, sum(({ diskGib }) => diskGib)],
    ];
    return rows
      .filter(([, booked, held]) => booked !== held)
      .map(([what, booked, held]) => ({
        kind: 'capacity',
        subject: host.id,
        message: `${booked} ${what} are booked, but its instances and quotes take ${held}`,
      }));
  });
  return [...wrong, ...misheld, ...sums];
}

function foreignDrift({ hosts, orphans }: Facts): Drift[] {
  const owned = orphans.map(({ instanceId, hostId }): Drift => {
    return { kind: 'orphan', subject: instanceId, message: `is on host ${hostId} and nobody owns it` };
  });
  const strays = hosts.flatMap(({ id, strays }) =>
    strays.map(
      (stray): Drift => ({ kind: 'stray', subject: id, message: `has ${stray}, which belongs to no instance` }),
    ),
  );
  return [...owned, ...strays];
}

/** What is billed: every instance that lives or was ended for lack of money, and nothing else. */
const billed: ReadonlySet<InstanceStatus> = new Set([...living, 'terminated']);

function billDrift({ instances, bills, prices, balances }: Facts): Drift[] {
  const open = new Set(bills.map(({ instanceId }) => instanceId));
  const live = new Set(instances.filter(({ status }) => billed.has(status)).map(({ id }) => id));
  const at = (subject: string, message: string): Drift => ({ kind: 'bill', subject, message });
  const unbilled = [...live].filter((id) => !open.has(id)).map((id) => at(id, 'lives and has no open bill'));
  const over = [...open].filter((id) => !live.has(id)).map((id) => at(id, 'has an open bill and is over'));
  const fair = new Map(prices.map(({ instanceId, priceMicroUsd }) => [instanceId, priceMicroUsd]));
  const mispriced = bills
    .filter(({ instanceId, priceMicroUsd }) => (fair.get(instanceId) ?? priceMicroUsd) !== priceMicroUsd)
    .map(({ instanceId, priceMicroUsd }) =>
      at(instanceId, `is billed ${priceMicroUsd} micro-USD an epoch, but what it has costs ${fair.get(instanceId)}`),
    );
  const held = new Map<string, bigint>();
  for (const { accountId, heldMicroUsd } of bills) held.set(accountId, (held.get(accountId) ?? 0n) + heldMicroUsd);
  const deposits = balances
    .filter(({ accountId, heldMicroUsd }) => heldMicroUsd !== (held.get(accountId) ?? 0n))
    .map(({ accountId, heldMicroUsd }) =>
      at(accountId, `holds ${heldMicroUsd} micro-USD, but its bills hold ${held.get(accountId) ?? 0n}`),
    );
  return [...unbilled, ...over, ...mispriced, ...deposits];
}
