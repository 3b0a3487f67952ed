// Samples of what instances and hosts use, and the averages made of them. What comes from a host is written in one statement,
// however many instances it has.

import { sql } from 'kysely';
import { type Stretch, slotOf, slotsOf, type Tier } from '../model/sample.ts';
import { type Database, inTransaction, type Tx } from './database.ts';

/** What something used in a stretch of time, on average; null where it isn't known. */
export interface Usage {
  /** Processors. */
  cpu: number | null;
  memoryBytes: number | null;
  /** Of a host: what is taken of the file system that instances lie on. */
  diskBytes: number | null;
  diskReadBytesPerSecond: number | null;
  diskWriteBytesPerSecond: number | null;
  diskReadsPerSecond: number | null;
  diskWritesPerSecond: number | null;
  networkReceiveBytesPerSecond: number | null;
  networkSendBytesPerSecond: number | null;
  /** Of a host: how many of its instances run. */
  instances: number | null;
}

/** A {@link Usage}, and when its stretch of time begins. */
export interface UsageAt extends Usage {
  at: Date;
}

const columns: readonly [name: keyof Usage, column: string, type: 'real' | 'bigint'][] = [
  ['cpu', 'cpu', 'real'],
  ['memoryBytes', 'memory_bytes', 'bigint'],
  ['diskBytes', 'disk_bytes', 'bigint'],
  ['diskReadBytesPerSecond', 'disk_read_bytes_per_second', 'real'],
  ['diskWriteBytesPerSecond', 'disk_write_bytes_per_second', 'real'],
  ['diskReadsPerSecond', 'disk_reads_per_second', 'real'],
  ['diskWritesPerSecond', 'disk_writes_per_second', 'real'],
  ['networkReceiveBytesPerSecond', 'network_receive_bytes_per_second', 'real'],
  ['networkSendBytesPerSecond', 'network_send_bytes_per_second', 'real'],
  ['instances', 'instances', 'real'],
];
const columnNames = sql.raw(columns.map(([, column]) => column).join(', '));
const newer = sql.raw(columns.map(([, column]) => `${column} = excluded.${column}`).join(', '));
/** An average in which each row counts as much as went into it; nulls count for nothing. */
const averageOf = (column: string) =>
  `sum(${column}::float8 * samples) / nullif(sum(samples) filter (where ${column} is not null), 0)`;
const averages = (as: (column: string, average: string, name: keyof Usage, type: string) => string) =>
  sql.raw(columns.map(([name, column, type]) => as(column, averageOf(column), name, type)).join(', '));

/** The subject that an instance is, by its id. */
const subjectOf = (instanceId: string): string => instanceId.slice(2, 34);

/** Whose samples are asked for. */
export type Subject = { instanceId: string } | { hostId: string };

const keyOf = (subject: Subject): string => ('hostId' in subject ? subject.hostId : subjectOf(subject.instanceId));

/**
 * Writes what a host has measured. Of instances that are none of its own nothing is written; a second sample of one step takes the
 * place of the first.
 */
export async function insertSamples(
  database: Database,
  tier: Tier,
  at: Date,
  hostId: string,
  host: Usage | null,
  instances: readonly ({ instanceId: string } & Usage)[],
): Promise<void> {
  const rows = [...(host ? [{ instanceId: null, ...host }] : []), ...instances];
  const ids = rows.map(({ instanceId }) => instanceId);
  // Two of one instance would be one row twice, which PostgreSQL refuses to write in one statement.
  if (rows.length === 0) return;
  const values = columns.map(
    ([name, , type]) => sql`${rows.map((row) => roundedFor(type, row[name]))}::${sql.raw(type)}[]`,
  );
  await sql`
    insert into sample (slot, subject, at, samples, ${columnNames})
    select distinct on (subject) ${slotOf(tier, at)}::smallint,
      case when given.id is null then ${hostId}::uuid else substr(given.id, 3, 32)::uuid end as subject,
      ${at}::timestamptz, 1, ${columnNames}
    from unnest(${ids}::text[], ${sql.join(values)}) as given (id, ${columnNames})
    where given.id is null
      or exists (select from assignment where instance_id = given.id and assignment.host_id = ${hostId}::uuid)
    on conflict (subject, at, slot) do update set ${newer}`.execute(database);
}

const roundedFor = (type: 'real' | 'bigint', value: number | null) =>
  value === null || type === 'real' ? value : Math.round(value);

interface AverageRow extends Usage {
  step: number;
}

/**
 * What something used in each step of a span, in order; steps of which nothing is known are left out.
 * @param stretches what is read, each of one tier
 */
export async function readAverages(
  database: Database,
  subject: Subject,
  stretches: readonly Stretch[],
  stepMs: number,
): Promise<UsageAt[]> {
  if (stretches.length === 0) return [];
  const parts = stretches.map(({ tier, from, to }) => {
    const { first, end } = slotsOf(tier);
    return sql`
      select at, samples, ${columnNames} from sample
      where slot >= ${first} and slot < ${end} and subject = ${keyOf(subject)}::uuid
        and at >= ${from}::timestamptz and at < ${to}::timestamptz`;
  });
  const seconds = sql`${stepMs / 1_000}::float8`;
  const { rows } = await sql<AverageRow>`
    select floor(extract(epoch from at) / ${seconds})::float8 as step, ${averages((_, average, name) => `${average} as "${name}"`)}
    from (${sql.join(parts, sql` union all `)}) as part group by 1 order by 1`.execute(database);
  return rows.map(({ step, ...usage }) => ({ at: new Date(step * stepMs), ...usage }));
}

/** The newest sample of something; undefined where there is none since `since`. */
export async function findLatest(
  database: Database,
  subject: Subject,
  tier: Tier,
  since: Date,
): Promise<UsageAt | undefined> {
  const { first, end } = slotsOf(tier);
  const { rows } = await sql<UsageAt>`
    select at, ${sql.raw(columns.map(([name, column]) => `${column}::float8 as "${name}"`).join(', '))}
    from sample where slot >= ${first} and slot < ${end} and subject = ${keyOf(subject)}::uuid
      and at >= ${since}::timestamptz
    order by at desc limit 1`.execute(database);
  return rows[0];
}

/** Up to where the second and the third tier are made of those before them. */
export async function readMadeUntil(database: Database): Promise<[fiveMinutes: Date, hours: Date]> {
  const rows = await database.selectFrom('sample_tier').select(['tier', 'made_until']).execute();
  const of = (index: number) => rows.find(({ tier }) => tier === index)?.made_until ?? new Date(0);
  return [of(1), of(2)];
}

/** Takes a tier, to make more of it, until the transaction ends. @returns up to where it is made; undefined while another has it */
export async function takeTier(tx: Tx, { index }: Tier): Promise<Date | undefined> {
  const row = await tx
    .selectFrom('sample_tier')
    .where('tier', '=', index)
    .select('made_until')
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row?.made_until;
}

/** When the first sample of a tier in a span is from. */
export async function findFirst(
  database: Database,
  tier: Tier,
  span: { from: Date; to: Date },
): Promise<Date | undefined> {
  const { first, end } = slotsOf(tier);
  const { rows } = await sql<{ at: Date | null }>`
    select min(at) as at from sample
    where slot >= ${first} and slot < ${end} and at >= ${span.from}::timestamptz and at < ${span.to}::timestamptz`.execute(
    database,
  );
  return rows[0]?.at ?? undefined;
}

/** Makes one step of a tier, for everything that there are samples of, and notes up to where it is made. */
export async function makeStep(tx: Tx, tier: Tier, finer: Tier, at: Date): Promise<void> {
  const end = new Date(at.getTime() + tier.stepMs);
  const { first, end: last } = slotsOf(finer);
  await sql`
    insert into sample (slot, subject, at, samples, ${columnNames})
    select ${slotOf(tier, at)}::smallint, subject, ${at}::timestamptz, sum(samples),
      ${averages((_, average, __, type) => (type === 'bigint' ? `round(${average})` : average))}
    from sample where slot >= ${first} and slot < ${last} and at >= ${at}::timestamptz and at < ${end}::timestamptz
    group by subject
    on conflict (subject, at, slot) do update set samples = excluded.samples, ${newer}`.execute(tx);
  await noteMadeUntil(tx, tier, end);
}

/** Notes up to where a tier is made. */
export async function noteMadeUntil(tx: Tx, { index }: Tier, until: Date): Promise<void> {
  await tx.updateTable('sample_tier').set({ made_until: until }).where('tier', '=', index).execute();
}

/** Readers of other slots wait for this no longer than this. */
const emptyingWaitMs = 1_000;

/** Empties the slot of a tier that is used next: what is in it has had its time. Done on an empty one is done. */
export async function emptyNextSlot(database: Database, tier: Tier, now: Date): Promise<void> {
  const slot = slotOf(tier, now, 1);
  const filled = await sql`select from sample where slot = ${slot} limit 1`.execute(database);
  if (filled.rows.length === 0) return;
  await inTransaction(database, async (tx) => {
    await sql.raw(`set local lock_timeout = ${emptyingWaitMs}`).execute(tx);
    await sql.raw(`truncate sample_${String(slot).padStart(3, '0')}`).execute(tx);
  });
}
