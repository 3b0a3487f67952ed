// The checker: one function that holds everything the database says against itself and against what hosts have reported.
// It runs in production behind `berth_drift` and at the end of every torture test. The schema forbids much of this; the
// checker believes nothing.

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
    vcpus: number;
    memoryMib: number;
    diskGib: number | null;
  }[];
  assignments: {
    instanceId: string;
    hostId: string;
    desired: 'running' | 'absent';
    generation: number;
    observedGeneration: number;
    observedState: string | null;
  }[];
  addresses: { ip: string; instanceId: string | null; orphanId: string | null }[];
  hosts: { id: string; vcpusUsed: number; memoryMibUsed: number; diskGibUsed: number; strays: string[] }[];
  orphans: { instanceId: string; hostId: string; address: string | null }[];
  /** Names that are given away, each to a deployment. */
  names: { name: string; deploymentId: string }[];
  /** The bills that are open. */
  bills: { instanceId: string; accountId: string; heldMicroUsd: bigint }[];
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

/** Finds everything that does not agree. Work under way, such as an instance that is being deleted, is no drift. */
export function findDrift(facts: Facts): Drift[] {
  return [
    ...instanceDrift(facts),
    ...nameDrift(facts),
    ...addressDrift(facts),
    ...capacityDrift(facts),
    ...foreignDrift(facts),
    ...billDrift(facts),
  ];
}

function instanceDrift({ instances, assignments }: Facts): Drift[] {
  const assigned = new Map(assignments.map((assignment) => [assignment.instanceId, assignment]));
  return instances.flatMap((instance): Drift[] => {
    const at = (message: string): Drift[] => [{ kind: 'instance', subject: instance.id, message }];
    const assignment = assigned.get(instance.id);
    if (instance.diskGib === null) return at('has no boot disk');
    if (['launching', 'active', 'stopped'].includes(instance.status)) {
      if (!assignment) return at(`is ${instance.status} but assigned to no host`);
      if (assignment.desired !== 'running') return at(`is ${instance.status} but ordered away`);
      if (assignment.hostId !== instance.hostId) return at('is assigned to another host than its own');
      if (instance.status === 'active' && assignment.observedState !== 'running') {
        return at(`is active but its host last said ${assignment.observedState ?? 'nothing'}`);
      }
      if (assignment.observedGeneration > assignment.generation) return at('its host is ahead of the database');
    }
    if (instance.status === 'deleted' && assignment) return at('is deleted but still assigned');
    if (['failed', 'terminated', 'deleting'].includes(instance.status) && assignment?.desired === 'running') {
      return at(`is ${instance.status} but still ordered to run`);
    }
    if (instance.status === 'failed' && !instance.statusReason) return at('failed and nobody can say why');
    if (instance.status === 'deleting' && !assignment) return at('is being deleted but assigned to no host');
    return [];
  });
}

/** A name is given away exactly as long as an instance of its deployment bears it. */
function nameDrift({ instances, names }: Facts): Drift[] {
  const key = (row: { deploymentId: string; name: string }) => `${row.deploymentId} ${row.name}`;
  const borne = new Set(instances.filter(({ status }) => ['launching', 'active', 'stopped'].includes(status)).map(key));
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
  const holders = new Map(addresses.map(({ ip, instanceId, orphanId }) => [instanceId ?? orphanId, ip]));
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
  // An orphan that uses an address holds it, so that nobody else gets it; unless somebody had it already.
  const disputed = orphans
    .filter(({ instanceId, address }) => address !== null && holders.get(instanceId) !== address)
    .map(({ instanceId, address }): Drift => {
      return {
        kind: 'address',
        subject: address ?? '',
        message: `is used by the orphan ${instanceId} and held by another`,
      };
    });
  return [...missing, ...kept, ...twice, ...disputed];
}

function capacityDrift({ hosts, assignments, instances }: Facts): Drift[] {
  const sizes = new Map(instances.map((instance) => [instance.id, instance]));
  const byHost = Map.groupBy(assignments, ({ hostId }) => hostId);
  return hosts.flatMap((host): Drift[] => {
    const here = (byHost.get(host.id) ?? []).map(({ instanceId }) => sizes.get(instanceId));
    const sum = (pick: (size: Facts['instances'][number]) => number | null) =>
      here.reduce((total, size) => total + ((size && pick(size)) ?? 0), 0);
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
        message: `${booked} ${what} are booked, but its instances have ${held}`,
      }));
  });
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
const billed: ReadonlySet<InstanceStatus> = new Set(['launching', 'active', 'stopped', 'terminated']);

function billDrift({ instances, bills, balances }: Facts): Drift[] {
  const open = new Set(bills.map(({ instanceId }) => instanceId));
  const live = new Set(instances.filter(({ status }) => billed.has(status)).map(({ id }) => id));
  const at = (subject: string, message: string): Drift => ({ kind: 'bill', subject, message });
  const unbilled = [...live].filter((id) => !open.has(id)).map((id) => at(id, 'lives and has no open bill'));
  const over = [...open].filter((id) => !live.has(id)).map((id) => at(id, 'has an open bill and is over'));
  const held = new Map<string, bigint>();
  for (const { accountId, heldMicroUsd } of bills) held.set(accountId, (held.get(accountId) ?? 0n) + heldMicroUsd);
  const deposits = balances
    .filter(({ accountId, heldMicroUsd }) => heldMicroUsd !== (held.get(accountId) ?? 0n))
    .map(({ accountId, heldMicroUsd }) =>
      at(accountId, `holds ${heldMicroUsd} micro-USD, but its bills hold ${held.get(accountId) ?? 0n}`),
    );
  return [...unbilled, ...over, ...deposits];
}
