// Writes a whole deployment in one statement: between taking the host's row and committing, every round trip is time in
// which no other deployment on that host can go on.

import { sql } from 'kysely';
import type { PortRule } from '../model/port-rule.ts';
import type { Tx } from './database.ts';

/** What is the same for every instance of a deployment. */
export interface NewDeployment {
  id: string;
  accountId: string;
  actor: string;
  name: string;
  hostname: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  imageUrl: string;
  sshKeys: readonly string[];
  portRules: readonly PortRule[];
  createdAt: Date;
}

/** One instance of a deployment: where it goes and what it holds there. */
export interface NewInstance {
  id: string;
  diskId: string;
  hostId: string;
  revision: bigint;
  ip: string;
  storageType: 'HDD' | 'SSD' | 'NVMe';
  priceId: string;
  priceMicroUsd: bigint;
}

/**
 * Gives an account's name to a deployment.
 * @returns false when another deployment has it
 */
export async function claimName(
  tx: Tx,
  row: { accountId: string; name: string; deploymentId: string },
): Promise<boolean> {
  // The update changes nothing; it makes the row visible when the deployment has the name already, as with a second VM.
  const claimed = await sql`
    insert into instance_name (account_id, name, deployment_id)
    values (${row.accountId}, ${row.name}, ${row.deploymentId})
    on conflict (account_id, name) do update set name = excluded.name
    where instance_name.deployment_id = excluded.deployment_id
    returning name`.execute(tx);
  return claimed.rows.length > 0;
}

/** Takes back the names that no live instance of these deployments bears any more. */
export async function releaseUnusedNames(tx: Tx, deploymentIds: readonly string[]): Promise<void> {
  if (deploymentIds.length === 0) return;
  await sql`
    delete from instance_name where deployment_id = any(${[...deploymentIds]}::uuid[]) and not exists (
      select 1 from instance
      where instance.deployment_id = instance_name.deployment_id and instance.name = instance_name.name
        and instance.account_id = instance_name.account_id and status not in ('failed', 'deleting', 'deleted'))`.execute(
    tx,
  );
}

/**
 * Writes the deployment's row, and gives it its name.
 * @returns false when another deployment has the name
 */
export async function insertDeployment(
  tx: Tx,
  row: { id: string; accountId: string; name: string; now: Date },
): Promise<boolean> {
  const claimed = await sql`
    with new_deployment as (
      insert into deployment (id, account_id, created_at)
      values (${row.id}, ${row.accountId}, ${row.now}::timestamptz)
    )
    insert into instance_name (account_id, name, deployment_id) values (${row.accountId}, ${row.name}, ${row.id})
    on conflict (account_id, name) do nothing
    returning name`.execute(tx);
  return claimed.rows.length > 0;
}

/** Writes a deployment's instances with their disks, assignments, addresses, open ports and first events. */
export async function insertInstances(
  tx: Tx,
  deployment: NewDeployment,
  instances: readonly NewInstance[],
): Promise<void> {
  const rows = JSON.stringify(
    instances.map((instance) => ({
      ...instance,
      revision: String(instance.revision),
      priceMicroUsd: String(instance.priceMicroUsd),
    })),
  );
  const { id, accountId, actor, name, hostname, createdAt } = deployment;
  await sql`
    with row as materialized (
      select * from jsonb_to_recordset(${rows}::jsonb) as row ("id" text, "diskId" uuid, "hostId" uuid,
        "revision" bigint, "ip" inet, "storageType" text, "priceId" uuid, "priceMicroUsd" bigint)
    ), new_instance as (
      insert into instance (id, account_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id, vcpus,
        memory_mib, image_url, ssh_keys, price_id, price_micro_usd, created_at)
      select "id", ${accountId}::uuid, ${id}::uuid, 'vm', ${name}, ${hostname}, 'launching', ${createdAt}::timestamptz,
        "hostId", ${deployment.vcpus}::int, ${deployment.memoryMib}::int, ${deployment.imageUrl},
        ${[...deployment.sshKeys]}::text[], "priceId", "priceMicroUsd", ${createdAt}::timestamptz
      from row
    ), new_disk as (
      insert into disk (id, instance_id, boot, size_gib, storage_type)
      select "diskId", "id", true, ${deployment.diskGib}::int, "storageType" from row
    ), new_assignment as (
      insert into assignment (instance_id, host_id, generation, revision, desired)
      select "id", "hostId", 1, "revision", 'running' from row
    ), new_address as (
      insert into address (ip, instance_id) select "ip", "id" from row
    ), new_port_rule as (
      insert into port_rule (ip, protocol, port)
      select "ip", rule.protocol, rule.port from row
      cross join jsonb_to_recordset(${JSON.stringify(deployment.portRules)}::jsonb) as rule (protocol text, port int)
    )
    insert into event (account_id, instance_id, host_id, kind, message, actor, data, created_at)
    select ${accountId}::uuid, "id", "hostId", 'instance.placed', 'Accepted and placed; its address is ' || host("ip") || '.',
      ${actor}, jsonb_build_object('address', host("ip")), ${createdAt}::timestamptz
    from row`.execute(tx);
}
