// Holds three accounts of the same world against each other: what the clients were told, what the database says, and what
// there is on the host. The database against itself is the production checker's business; the rest stands here.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { InstanceRecord } from '../../src/agent/record.ts';
import { type Facts, findDrift } from '../../src/model/drift.ts';
import type { Database } from '../../src/store/database.ts';
import { findLedgerDrift, readFacts } from '../../src/store/drift.ts';
import type { Ledger, Promised } from './ledger.ts';

/** One VM as it is on the host, whatever runs it. */
export interface HostVm {
  instanceId: string;
  running: boolean;
  address: string;
  /** What it runs with. */
  vcpus: number;
  memoryMib: number;
  /** Its open ports, sorted and joined; null where that can't be seen from outside. */
  ports: string | null;
}

/** Everything on the host, found by looking. */
export interface HostTruth {
  vms: readonly HostVm[];
  /** Whatever there is that should not be, in words. */
  complaints: readonly string[];
  /** Instances of which something was ever erased, in the order of it. */
  erased: readonly string[];
}

/** An instance as the database has it, whatever its status. */
export interface InstanceFact {
  id: string;
  name: string;
  status: string;
  reason: string | null;
  /** What it was ordered to have. */
  vcpus: number;
  memoryMib: number;
  address: string | null;
  ports: string;
  desired: string | null;
  settled: boolean;
}

/** Looks at everything once. @returns what is not as it must be; empty when all is settled and right */
export async function findFaults(
  database: Database,
  host: HostTruth,
  ledger: Ledger,
  agentDirectory: string,
): Promise<string[]> {
  const facts = await readFacts(database);
  const instances = await readInstances(database);
  const orphans = new Set(facts.orphans.map(({ instanceId }) => instanceId));
  const drift = [...findDrift(facts), ...(await findLedgerDrift(database))]
    .filter(({ kind, subject }) => !(kind === 'orphan' && ledger.forgotten.has(subject)))
    .map(({ kind, subject, message }) => `drift (${kind}): ${subject} ${message}`);
  const held = new Set(facts.addresses.flatMap(({ orphanId }) => orphanId ?? []));
  const missing = host.vms.flatMap(({ instanceId: id, running }) => {
    if (!ledger.forgotten.has(id)) return [];
    if (!orphans.has(id)) return [`${id} is on the host and nobody's, but is not shown as an orphan`];
    const address = facts.orphans.find(({ instanceId }) => instanceId === id)?.address;
    return running && address && !held.has(id) ? [`the orphan ${id} does not hold its address ${address}`] : [];
  });
  return [
    ...ledger.complaints,
    ...drift,
    ...missing,
    ...promisesKept(ledger, instances, host),
    ...namesAsPromised(ledger, instances),
    ...hostAsOrdered(ledger, instances, host),
    ...capacityAsUsed(facts, instances, host),
    ...(await recordsOwned(instances, ledger, join(agentDirectory, 'records'))),
  ];
}

/** Every accepted instance runs exactly once, or is failed with its reason, or is gone because it was ordered away. */
function promisesKept(ledger: Ledger, instances: ReadonlyMap<string, InstanceFact>, host: HostTruth): string[] {
  const vms = new Map(host.vms.map((vm) => [vm.instanceId, vm]));
  const faults: string[] = [];
  for (const promised of ledger.promised.values()) {
    const fact = instances.get(promised.id);
    const fault = fact ? faultOf(promised, fact, vms.get(promised.id)) : 'was accepted and is not in the database';
    if (fault) faults.push(`${promised.id} (${promised.request.name}) ${fault}`);
  }
  for (const ids of ledger.openDeletions) {
    const over = ids.filter((id) => instances.get(id)?.status === 'deleted');
    const alone = over.length > 0 && over.length < ids.length;
    // Another client may have deleted one of them; only what nobody else was asked to delete can tell.
    const rest = ids.filter((id) => !over.includes(id) && instances.has(id));
    if (alone && over.every((id) => askedOnce(ledger, id)) && rest.length > 0) {
      faults.push(`of the deletion of ${ids.join(', ')} only ${over.join(', ')} was done`);
    }
  }
  return faults;
}

const askedOnce = (ledger: Ledger, id: string) =>
  ledger.promised.get(id)?.deletion === 'unknown' &&
  [...ledger.openDeletions].filter((ids) => ids.includes(id)).length === 1;

function faultOf(promised: Promised, fact: InstanceFact, vm: HostVm | undefined): string | null {
  if (promised.deletion === 'ordered' && fact.status !== 'deleted' && !promised.mayBeLost) {
    return `was ordered away and is ${fact.status}`;
  }
  switch (fact.status) {
    case 'active':
      if (!fact.settled) return 'is active but its host has not caught up';
      if (!vm?.running) return `is active but ${vm ? 'does not run' : 'is not on its host'}`;
      if (promised.power === 'off' || promised.hidden) return 'is active but was switched off or deleted';
      if (promised.cores !== null && promised.cores !== fact.vcpus) {
        return `was promised ${promised.cores} cores and has ${fact.vcpus}`;
      }
      if (vm.address !== fact.address) return `has ${vm.address} on its host and ${fact.address} in the database`;
      if (promised.ports !== null && promised.ports !== fact.ports) {
        return `was promised the ports ${promised.ports} and has ${fact.ports}`;
      }
      return vm.ports !== null && vm.ports !== fact.ports
        ? `has the ports ${vm.ports} on its host and ${fact.ports} in the database`
        : null;
    case 'stopped':
    case 'soft-deleted':
      if (!fact.settled) return `is ${fact.status} but its host has not caught up`;
      if (vm?.running) return `is ${fact.status} but runs`;
      if (promised.power === 'on') return `was switched on and is ${fact.status}`;
      if (promised.hidden !== null && promised.hidden !== (fact.status === 'soft-deleted')) {
        return `is ${fact.status} but was ${promised.hidden ? 'deleted' : 'brought back'}`;
      }
      return null;
    case 'failed':
      if (!fact.reason) return 'failed without a reason';
      if (promised.ran && !promised.mayBeLost) return `ran and then failed (${fact.reason})`;
      if (!promised.mayBeLost && fact.reason.includes('had erased it')) return "was erased on nobody's order";
      return fact.desired !== null || vm ? 'failed but its host has not let go of it' : null;
    case 'deleted':
      if (promised.deletion === 'none') return "was deleted on nobody's order";
      return vm ? 'is deleted but still on its host' : null;
    default:
      return `is still ${fact.status}`;
  }
}

/** Of each name as many instances as were accepted under it; of what was not answered all or none. */
function namesAsPromised(ledger: Ledger, instances: ReadonlyMap<string, InstanceFact>): string[] {
  const found = Map.groupBy(instances.values(), ({ name }) => name);
  const known = new Set<string>();
  const faults = [...ledger.requests].flatMap((request) => {
    known.add(request.name);
    const count = found.get(request.name)?.length ?? 0;
    const right =
      request.outcome === 'accepted'
        ? count === request.count
        : count === 0 || (request.outcome === 'unknown' && count === request.count);
    return right ? [] : [`${request.name} was ${request.outcome} for ${request.count}, and there are ${count}`];
  });
  const foreign = [...found.keys()].filter((name) => !known.has(name));
  return [...faults, ...foreign.map((name) => `nobody has asked for ${name}`)];
}

/** Nothing on the host that nobody owns, no address twice, nothing erased that was not ordered away, nothing twice. */
function hostAsOrdered(ledger: Ledger, instances: ReadonlyMap<string, InstanceFact>, host: HostTruth): string[] {
  const owners = new Map<string, string>();
  const faults = [...host.complaints];
  for (const { instanceId, address, running } of host.vms) {
    const isForgotten = ledger.forgotten.has(instanceId);
    if (!instances.get(instanceId)?.desired && !isForgotten) {
      faults.push(`${instanceId} is on the host and belongs to nobody`);
    }
    // An orphan that is off uses none, and nobody can switch it on.
    if (isForgotten && !running) continue;
    const other = owners.get(address);
    if (other) faults.push(`${instanceId} and ${other} both have ${address}`);
    owners.set(address, instanceId);
  }
  for (const id of new Set(host.erased)) {
    if (!ledger.mayBeErased.has(id) && instances.get(id)?.status !== 'failed' && instances.has(id)) {
      faults.push(`${id} was erased and nobody had ordered it`);
    }
    if (ledger.orphans.has(id)) faults.push(`the orphan ${id} was erased`);
  }
  const running = new Set(host.vms.filter((vm) => vm.running).map(({ instanceId }) => instanceId));
  for (const id of ledger.orphans) if (!running.has(id)) faults.push(`the orphan ${id} does not run any more`);
  return faults;
}

/** What is booked on the host is what its VMs were ordered to have, or more that they run with; and what quotes hold. */
function capacityAsUsed(
  { hosts, holds }: Pick<Facts, 'hosts' | 'holds'>,
  instances: ReadonlyMap<string, InstanceFact>,
  host: HostTruth,
): string[] {
  const running = new Map(host.vms.filter((vm) => vm.running).map((vm) => [vm.instanceId, vm]));
  const owned = [...instances.values()].filter(({ desired }) => desired);
  const sumOf = (part: 'vcpus' | 'memoryMib') =>
    owned.reduce((sum, fact) => sum + Math.max(fact[part], running.get(fact.id)?.[part] ?? 0), 0) +
    holds.reduce((sum, hold) => sum + (hold.isHeld ? hold[part] : 0), 0);
  const [vcpus, memoryMib] = [sumOf('vcpus'), sumOf('memoryMib')];
  return hosts.flatMap(({ vcpusUsed, memoryMibUsed }) =>
    vcpusUsed === vcpus && memoryMibUsed === memoryMib
      ? []
      : [
          `${vcpusUsed} vCPUs and ${memoryMibUsed} MiB are booked; ${vcpus} and ${memoryMib} are used on the host or held`,
        ],
  );
}

/** No record of the agent without an instance that it is about; those of erased ones stay, to fence off old orders. */
async function recordsOwned(
  instances: ReadonlyMap<string, InstanceFact>,
  ledger: Ledger,
  directory: string,
): Promise<string[]> {
  const faults: string[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    const id = name.replace(/\.json$/, '');
    if (id === name || ledger.closedRecords.has(id)) continue;
    if (instances.get(id)?.desired || ledger.forgotten.has(id)) continue;
    const text = await readFile(join(directory, name), 'utf8').catch(() => '{}');
    if ((JSON.parse(text) as InstanceRecord).goneAt) ledger.closedRecords.add(id);
    else faults.push(`the agent has a record of ${id}, which is nobody's`);
  }
  return faults;
}

/** All instances by id, also those that are over. */
export async function readInstances(database: Database): Promise<Map<string, InstanceFact>> {
  const rows = await database
    .selectFrom('instance')
    .leftJoin('assignment', 'assignment.instance_id', 'instance.id')
    .leftJoin('address', 'address.instance_id', 'instance.id')
    .select([
      'instance.id',
      'name',
      'status',
      'status_reason as reason',
      'instance.vcpus',
      'instance.memory_mib as memoryMib',
      'ip as address',
      'desired',
      sql<boolean>`coalesce(observed_generation = generation
        and observed_state = case when desired = 'off' or status = 'stopped' then 'off' else 'running' end, false)`.as(
        'settled',
      ),
      sql<string>`coalesce((select string_agg(port || '/' || protocol, ' ' order by (port || '/' || protocol) collate "C")
        from port_rule where port_rule.ip = address.ip), '')`.as('ports'),
    ])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
