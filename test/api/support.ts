// What the tests of the customer APIs share: request bodies that are right, keys, and a look at every table, so that a test
// can say "and nothing was left behind" about any refusal.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Drift, findDrift } from '../../src/model/drift.ts';
import { type Database, inTransaction, openDatabase } from '../../src/store/database.ts';
import { findLedgerDrift, readFacts } from '../../src/store/drift.ts';
import { findPlace } from '../../src/store/embedded/place.ts';
import { insertTransactions } from '../../src/store/ledger.ts';
import { type Answer, type TestBerth, until } from '../support/berth.ts';

/** Real public keys; nobody has kept their private halves. */
export const keys = {
  ed25519: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4cO74qmRZ+XiicQiA68i5Jlvl17TPunfSKhO3/L4q ann@example',
  ecdsa:
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBV7S8Uslda1KThoL53hH0LQM4awD+da899q9U+SxT32j9n85/c77Y443qP/bpyQNvBJRgwLy1gRICRGD5aJKao= ann@example',
  rsa: 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCyzSNdaqOgQfjOY9KjFiUf4GSeU10vS0KuMa6kPFfDHcPqzpx+0aOj9HE6H4O5oYVfXRoRtm6/cCHmDzoir8UsHOHbYSoq9+cQR0JoWa+KurFq32OinpgiYEWFBtRnjZpRTpbDTEL4fDXV6AStoiII9DIvKbrCTIcutnZ6oAMkuRwMB+iGZ+bwMBzLqT4S3bqRE6lIPpfSdr9fE2kDnb2uiCdW04nL2wk1k36lDc8uyNyiBNZwi4iN8Xc6+JW+nCdsEJp0TfOO2KRJCF8xLOSCcpF8aQ1/S91JEOR7CTfs7SRhTIbjKj85jTnYYzSCcCbCiXeygfIVHFGuSkwCg8YB ann@example',
} as const;

/** An image URL that is right; the simulated agent fetches nothing. */
export const imageUrl = 'https://cloud-images.ubuntu.com/focal/current/focal-server-cloudimg-amd64.img';

/** A deploy body as clients send it, wide enough to hold wrong values too. */
export interface DeployBody {
  constraints?: unknown;
  instances?: unknown;
  vmConfiguration: Record<string, unknown>;
}

let names = 0;

/** The smallest body that is right, with a name of its own; `vm` replaces fields of the VM's configuration. */
export function deployBody(
  vm: Record<string, unknown> = {},
  rest: Omit<DeployBody, 'vmConfiguration'> = {},
): DeployBody {
  names += 1;
  return {
    instances: 1,
    ...rest,
    vmConfiguration: { name: `vm-${names}`, openPorts: [], osImage: imageUrl, sshKeys: [keys.ed25519], ...vm },
  };
}

/** What `POST /vms/v3` answers. */
export type Deployed = { vmId: string; vmName: string }[];

/** One VM as `GET /vms/v3` shows it. */
export interface Vm {
  id: string;
  vmName: string;
  status: string;
  statusChangedAt: string;
  pricePerEpoch: string;
  resources: Record<string, unknown>[];
  createdAt: string;
  nextBillingAt?: string;
  osImage: string;
  datacenter: Record<string, unknown> | null;
  publicIp: string | null;
  ports: { port: number; protocol: string }[];
  reservedBalance: string;
  totalSpent: string;
}

/** An error as this API answers it. */
export interface ErrorBody {
  error: string;
}

/** Deploys and returns the ids; fails the test when it is refused. */
export async function deployed(berth: TestBerth, body: DeployBody = deployBody()): Promise<string[]> {
  const answer = await berth.call<Deployed>('POST', '/vms/v3', body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.map(({ vmId }) => vmId);
}

/** One VM of the list, or undefined. */
export async function vmOf(berth: TestBerth, id: string): Promise<Vm | undefined> {
  return (await berth.call<Vm[]>('GET', '/vms/v3')).body.find((vm) => vm.id === id);
}

/** Waits until a VM has a status. */
export async function untilStatus(berth: TestBerth, id: string, status: string): Promise<void> {
  await until(`${id} is ${status}`, async () => (await vmOf(berth, id))?.status === status);
}

/** Deletes VMs and waits until their host has let go of everything of them. */
export async function removed(berth: TestBerth, database: Database, ids: readonly string[]): Promise<void> {
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: ids })).status, 200);
  await untilGone(database, ids);
}

/** Waits until no host holds anything of these instances. */
export async function untilGone(database: Database, ids: readonly string[]): Promise<void> {
  await until('the host has let go', async () => {
    const left = await database
      .selectFrom('assignment')
      .where('instance_id', 'in', ids)
      .select('instance_id')
      .execute();
    return left.length === 0;
  });
}

/**
 * Waits until a host has just told of everything: for some seconds it tells of nothing but news. What is heard first may be news,
 * after which everything may follow at once.
 */
export async function untilHeartbeat(database: Database): Promise<void> {
  const seen = async () =>
    (await database.selectFrom('host_health').select('last_seen_at').executeTakeFirstOrThrow()).last_seen_at.getTime();
  for (const time of ['first', 'second']) {
    const last = await seen();
    await until(`the host has been heard of for the ${time} time`, async () => (await seen()) > last);
  }
}

/** Opens the database of a running test Berth; the caller destroys it before it closes the Berth. */
export async function openStore(berth: TestBerth): Promise<Database> {
  const { connectionString } = await findPlace(join(berth.directory, 'postgres'));
  return openDatabase(connectionString, () => {});
}

const tables = [
  'instance',
  'deployment',
  'instance_name',
  'disk',
  'assignment',
  'address',
  'port_rule',
  'orphan',
  'idempotency_record',
  'door_ticket',
] as const;

/**
 * How many rows each table has, and what is sold of every host. Of the events only those that a customer's request wrote,
 * or that tell of no instance: hosts report about what lives at any time, and slots are told of when their turn comes.
 */
export async function holdings(database: Database): Promise<Record<string, unknown>> {
  const counts: Record<string, unknown> = {};
  for (const table of tables) {
    const [row] = (await sql<{ count: bigint }>`select count(*) as count from ${sql.table(table)}`.execute(database))
      .rows;
    counts[table] = Number(row?.count);
  }
  const events = await sql<{ count: bigint }>`select count(*) as count from event
    where (actor not in ('agent', 'berth') or instance_id not in (select id from instance)) and kind <> 'offer.not_found' and kind not like 'slot.%'`.execute(
    database,
  );
  counts.event = Number(events.rows[0]?.count);
  const sold = ['vcpus_used', 'memory_mib_used', 'disk_gib_used'] as const;
  counts.hosts = await database
    .selectFrom('host')
    .select(['id', ...sold])
    .orderBy('id')
    .execute();
  counts.pools = await database.selectFrom('address_pool').select(['id', 'next_offset']).orderBy('id').execute();
  return counts;
}

/** Holds an answer to be a refusal in the one-field shape, with this status and all of these words in its text. */
export function assertRefused(answer: Answer, status: number, ...words: string[]): void {
  const text = JSON.stringify(answer.body);
  assert.equal(answer.status, status, text);
  const { error } = answer.body as ErrorBody;
  assert.deepEqual(Object.keys(answer.body as object), ['error'], text);
  assert.equal(typeof error, 'string');
  for (const word of words) assert.ok(error.includes(word), `"${error}" does not name ${word}`);
}

/** Gives an account of a test money to spend, in micro-USD. */
export async function credit(database: Database, accountId: string, amount = 1_000_000_000n): Promise<void> {
  const transaction = {
    ...{ id: randomUUID(), kind: 'credit' as const, accountId, instanceId: null, hostId: null },
    ...{ reason: 'test', actor: 'test', createdAt: new Date() },
    entries: [
      { book: 'cash' as const, amount: -amount },
      { book: 'available' as const, amount },
    ],
  };
  await inTransaction(database, (tx) => insertTransactions(tx, [transaction]));
}

/** Everything that does not agree, by Berth's own checker. */
export async function driftOf(database: Database): Promise<Drift[]> {
  return [...findDrift(await readFacts(database)), ...(await findLedgerDrift(database))];
}
