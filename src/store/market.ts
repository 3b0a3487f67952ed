// Reads what the market's view is made of: everything at first, in steps; afterwards what has changed. A host's row notes
// the transaction that changed it last. A reader keeps the snapshot that it read in and asks later for what no transaction
// seen in that snapshot wrote; so it misses nothing and reads little twice, whatever order transactions commit in.

import { sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import type { Hardware } from '../model/hardware.ts';
import type { HostState } from '../model/host.ts';
import type { RateCard } from '../model/price.ts';
import type { SoldGrades } from '../model/storage-pool.ts';
import type { Database } from './database.ts';
import { toGradeRates } from './price.ts';

/** A host's row as the market needs it. */
export interface MarketRow {
  id: string;
  datacenterId: string | null;
  priceId: string;
  rates: RateCard;
  hardware: Hardware;
  state: HostState;
  reachable: boolean;
  free: Size;
  additionalGibMax: number | null;
  grades?: SoldGrades;
}

/** A moment in the order of transactions; asking for what changed since misses nothing. */
export interface MarketCursor {
  /** PostgreSQL's: which transactions had been seen. */
  snapshot: string;
  /** The transaction that last changed datacenters or configurations. */
  catalogChanged: bigint;
}

const unknownHardware: Hardware = {
  cpu: { manufacturer: null, brand: null, architecture: null, generation: null, model: null },
  memory: { type: null, generation: null },
  storage: { type: 'SSD' },
};

/** Whether a moment lies before another one, which can't be in one and the same database. */
export function isBefore(one: MarketCursor, other: MarketCursor): boolean {
  const xmin = ({ snapshot }: MarketCursor) => BigInt(snapshot.split(':', 1)[0] ?? 0);
  return xmin(one) < xmin(other) || one.catalogChanged < other.catalogChanged;
}

/** Where a reader stands who reads everything after this. */
export async function readMarketCursor(database: Database): Promise<MarketCursor> {
  const { rows } = await sql<RawCursor>`select ${cursorColumns} from catalog_change`.execute(database);
  return toCursor(rows[0]);
}

interface RawCursor {
  snapshot: string;
  catalog_changed: string;
}

const cursorColumns = sql`pg_current_snapshot()::text as snapshot, changed_xid::text as catalog_changed`;

function toCursor(row: RawCursor | undefined): MarketCursor {
  if (!row) throw new Error('catalog_change has lost its row');
  return { snapshot: row.snapshot, catalogChanged: BigInt(row.catalog_changed) };
}

const columns = sql`id, datacenter_id, price_id, vcpu_micro_usd::text, memory_gib_micro_usd::text, storage_gib_micro_usd::text,
  grade_gib_micro_usd, public_ip_micro_usd::text, hardware, state, reachable, vcpus_limit - vcpus_used as vcpus,
  memory_mib_limit - memory_mib_used as memory_mib, disk_gib_limit - disk_gib_used as disk_gib, additional_disk_gib_max,
  storage_grades, apart_grades`;

interface RawRow {
  id: string;
  datacenter_id: string | null;
  price_id: string;
  vcpu_micro_usd: string;
  memory_gib_micro_usd: string;
  storage_gib_micro_usd: string;
  grade_gib_micro_usd: Record<string, number>;
  public_ip_micro_usd: string;
  hardware: Partial<Hardware>;
  state: HostState;
  reachable: boolean;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  additional_disk_gib_max: number | null;
  storage_grades: string[] | null;
  apart_grades: string[];
}

/** Which hosts are read. */
export interface HostPage {
  /** Only those that have changed since; all when left out. */
  since?: MarketCursor;
  /** From after this id on. */
  after: string | null;
  limit: number;
}

/** Hosts in the order of their ids. */
export async function listMarketHosts(database: Database, page: HostPage): Promise<MarketRow[]> {
  const { rows } = await sql<RawRow>`${hostsOf(page)}`.execute(database);
  return rows.map(toMarketRow);
}

/** Where the reader stands now, and the first hosts, in the order of their ids, that have changed since `since`. */
export async function readMarketChanges(
  database: Database,
  since: MarketCursor,
  limit: number,
): Promise<{ cursor: MarketCursor; hosts: MarketRow[] }> {
  const { rows } = await sql<RawCursor & { hosts: RawRow[] | null }>`
    select ${cursorColumns}, (
      select jsonb_agg(changed) from (${hostsOf({ since, after: null, limit })}) as changed
    ) as hosts
    from catalog_change`.execute(database);
  return { cursor: toCursor(rows[0]), hosts: (rows[0]?.hosts ?? []).map(toMarketRow) };
}

function hostsOf({ since, after, limit }: HostPage) {
  const snapshot = since && sql`${since.snapshot}::pg_snapshot`;
  const hasChanged = snapshot
    ? sql`changed_xid >= pg_snapshot_xmin(${snapshot}) and not pg_visible_in_snapshot(changed_xid, ${snapshot})`
    : sql`true`;
  return sql`
    select ${columns} from (
      select host.*, vcpu_micro_usd, memory_gib_micro_usd, storage_gib_micro_usd, grade_gib_micro_usd, public_ip_micro_usd
      from host join price on price.id = host.price_id
      where ${hasChanged} and (${after}::uuid is null or host.id > ${after}::uuid)
      order by host.id limit ${limit}::int
    ) as host`;
}

function toMarketRow(row: RawRow): MarketRow {
  return {
    id: row.id,
    datacenterId: row.datacenter_id,
    priceId: row.price_id,
    rates: {
      vcpuMicroUsd: BigInt(row.vcpu_micro_usd),
      memoryGibMicroUsd: BigInt(row.memory_gib_micro_usd),
      storageGibMicroUsd: BigInt(row.storage_gib_micro_usd),
      gradeGibMicroUsd: toGradeRates(row.grade_gib_micro_usd),
      publicIpMicroUsd: BigInt(row.public_ip_micro_usd),
    },
    hardware: { ...unknownHardware, ...row.hardware },
    state: row.state,
    reachable: row.reachable,
    free: { vcpus: row.vcpus, memoryMib: row.memory_mib, diskGib: row.disk_gib },
    additionalGibMax: row.additional_disk_gib_max,
    ...(row.storage_grades === null ? {} : { grades: { own: row.storage_grades, apart: row.apart_grades } }),
  };
}
