// Hosts and their storage pools by numbers and names of their own, with what is on them.

import { sql } from 'kysely';
import type { HostState } from '../model/host.ts';
import type { Database } from './database.ts';

/** A host with the VMs on it. */
export interface HostOverviewRow {
  id: string;
  number: bigint;
  name: string;
  state: HostState;
  reachable: boolean;
  /** The slug of its datacenter. */
  datacenter: string | null;
  memoryMibLimit: number;
  memoryMibUsed: number;
  vcpusUsed: number;
  cpuModel: string | null;
  /** The names of its VMs. */
  vms: string[];
  /** The labels of its storage pools. */
  poolLabels: string[];
}

/** Every host that is not retired, by name. */
export async function listHostOverviews(database: Database): Promise<HostOverviewRow[]> {
  const { rows } = await sql<HostOverviewRow>`
    select host.id, host.number, host.name, state, reachable, slug as datacenter, memory_mib_limit as "memoryMibLimit",
      memory_mib_used as "memoryMibUsed", vcpus_used as "vcpusUsed", inventory ->> 'cpuModel' as "cpuModel",
      array(select instance.name from assignment join instance on instance.id = instance_id
        where assignment.host_id = host.id and kind = 'vm' order by instance.number) as vms,
      array(select label from storage_pool where storage_pool.host_id = host.id order by label) as "poolLabels"
    from host left join host_health on host_health.host_id = host.id left join datacenter on datacenter.id = datacenter_id
    where state <> 'retired' order by host.name`.execute(database);
  return rows;
}

/** A storage pool with what is in it. */
export interface PoolOverviewRow {
  id: bigint;
  label: string;
  hostId: string;
  host: string;
  hostState: HostState;
  datacenter: string | null;
  grades: string[];
  /** Of the machine's storage, as its host last said. */
  sizeGib: number;
  freeGib: number;
  /** What may be sold of it, and what is. */
  limitGib: number;
  usedGib: number;
  /** How far it is sold over: 1 is honest. */
  overcommit: number;
  disks: number;
  backups: number;
}

/** The storage pools of every host that is not retired, by the hosts' names. */
export async function listPoolOverviews(database: Database): Promise<PoolOverviewRow[]> {
  const { rows } = await sql<PoolOverviewRow>`
    with held as (
      select coalesce(disk.pool_id, own.id) as pool_id, count(distinct disk.id) as disks, count(backup.id) as backups
      from disk join instance on instance.id = disk.instance_id
        left join storage_pool own on own.host_id = instance.host_id and own.label = 'default'
        left join backup on backup.disk_id = disk.id
      where status not in ('deleting', 'deleted') group by 1
    )
    select pool.id, pool.label, host.id as "hostId", host.name as host, state as "hostState", slug as datacenter, grades,
      size_gib as "sizeGib", free_gib as "freeGib", disk_overcommit::float8 as overcommit,
      case when pool.label = 'default' then disk_gib_limit else gib_limit end as "limitGib",
      case when pool.label = 'default' then disk_gib_used else gib_used end as "usedGib",
      coalesce(disks, 0)::int as disks, coalesce(backups, 0)::int as backups
    from storage_pool pool join host on host.id = pool.host_id
      left join held on held.pool_id = pool.id left join datacenter on datacenter.id = datacenter_id
    where state <> 'retired' order by host.name, pool.label`.execute(database);
  return rows;
}

/** The grades that any host has storage of. */
export async function listGrades(database: Database): Promise<Set<string>> {
  const { rows } = await sql<{ grade: string }>`
    select distinct unnest(grades) as grade from storage_pool join host on host.id = host_id
    where present and state <> 'retired'`.execute(database);
  return new Set(rows.map(({ grade }) => grade));
}
