// Many hosts out of thin air, always the same for the same number: some providers with prices of their own, machines of
// several kinds, datacenters in many countries, each host used to some degree. In memory or as rows of a database.

import { sql } from 'kysely';
import type { Datacenter } from '../src/model/datacenter.ts';
import type { Hardware, StorageType } from '../src/model/hardware.ts';
import type { RateCard } from '../src/model/price.ts';
import { type Configuration, Market, type MarketHost } from '../src/placement/market.ts';
import type { Database } from '../src/store/database.ts';

const gib = 1024;
/** Hosts written by one statement. */
const rowsMax = 5_000;

/** Random numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sizeOf = (vcpus: number, memoryGib: number, diskGib: number): Configuration => ({
  slug: `cpu-${vcpus}-ram-${memoryGib}gb-storage-${diskGib}gb`,
  size: { vcpus, memoryMib: memoryGib * gib, diskGib },
});

/** Ten sizes. */
export const configurations: readonly Configuration[] = [
  sizeOf(1, 1, 5),
  sizeOf(1, 4, 25),
  sizeOf(2, 4, 25),
  sizeOf(2, 8, 50),
  sizeOf(4, 8, 25),
  sizeOf(4, 16, 50),
  sizeOf(8, 16, 50),
  sizeOf(8, 32, 100),
  sizeOf(16, 32, 100),
  sizeOf(32, 64, 200),
];

const machine = (
  manufacturer: string,
  brand: string,
  architecture: string,
  generation: string,
  memory: string,
  type: StorageType,
): Hardware => ({
  cpu: { manufacturer, brand, architecture, generation, model: `${manufacturer} ${brand} ${generation}` },
  memory: { type: 'DDR', generation: memory },
  storage: { type },
});

const machines: readonly Hardware[] = [
  machine('AMD', 'EPYC', 'Zen', '2', '4', 'NVMe'),
  machine('AMD', 'EPYC', 'Zen', '3', '4', 'SSD'),
  machine('AMD', 'EPYC', 'Zen', '4', '5', 'NVMe'),
  machine('AMD', 'EPYC', 'Zen', '5', '5', 'NVMe'),
  machine('Intel', 'Xeon', 'Ice Lake', '3', '4', 'SSD'),
  machine('Intel', 'Xeon', 'Sapphire Rapids', '4', '5', 'NVMe'),
  machine('Intel', 'Xeon', 'Cascade Lake', '2', '4', 'HDD'),
  machine('Ampere', 'Altra', 'ARM', '1', '4', 'NVMe'),
];

/** One of several kinds of machine. */
export const machineOf = (index: number): Hardware => machines[index % machines.length] as Hardware;

/** Countries with datacenters. */
export const countries = ['DE', 'FR', 'PL', 'NL', 'FI', 'US', 'CA', 'GB', 'LT', 'ES', 'IT', 'SE'] as const;

const datacenters: readonly Datacenter[] = countries.flatMap((countryCode) =>
  [1, 2].map((cityIndex) => ({
    id: `00000000-0000-4000-8000-${countryCode.charCodeAt(0)}${countryCode.charCodeAt(1)}${'0'.repeat(7)}${cityIndex}`,
    slug: `${countryCode.toLowerCase()}-abc-${cityIndex}`,
    countryCode,
    cityCode: 'ABC',
    cityIndex,
    tier: 3,
    certifications: ['ISO 27001'],
  })),
);

const priceOf = (index: number): { priceId: string; rates: RateCard } => ({
  priceId: `00000000-0000-4000-9000-${String(index).padStart(12, '0')}`,
  rates: {
    vcpuMicroUsd: BigInt(80_000 + index * 3_000),
    memoryGibMicroUsd: BigInt(15_000 + ((index * 7) % 6) * 1_000),
    storageGibMicroUsd: BigInt(800 + ((index * 5) % 4) * 100),
    gradeGibMicroUsd: {},
    publicIpMicroUsd: 10_000n,
  },
});
const prices = Array.from({ length: 12 }, (_, index) => priceOf(index));

/** Hosts of 32 to 256 vCPUs with 1:4 memory, all in reach and open, of each of which some share is left. */
function makeHosts(count: number): MarketHost[] {
  const random = randomOf(count);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  return Array.from({ length: count }, (_, index) => {
    const vcpus = pick([32, 64, 128, 256]);
    const left = random();
    const about = () => Math.min(1, left * (0.8 + 0.4 * random()));
    return {
      id: `00000000-0000-4000-a000-${String(index).padStart(12, '0')}`,
      ...pick(prices),
      hardware: pick(machines),
      datacenter: pick(datacenters),
      state: 'open',
      reachable: true,
      free: {
        vcpus: Math.floor(vcpus * left),
        memoryMib: Math.floor(vcpus * 4 * about()) * gib,
        diskGib: Math.floor(vcpus * 30 * about()),
      },
      additionalGibMax: pick([null, 1_000]),
    };
  });
}

/** A market of so many hosts, each with some share of it left. */
export function makeMarket(count: number): Market {
  const market = new Market();
  market.setConfigurations(configurations);
  for (const host of makeHosts(count)) market.set(host);
  return market;
}

/**
 * Writes so many hosts and the ten configurations to a database. No agent stands behind them, so they were last heard of
 * in a year from now.
 */
export async function insertHosts(database: Database, count: number): Promise<void> {
  const now = new Date();
  await database
    .insertInto('price')
    .values(
      prices.map(({ priceId, rates }) => ({
        id: priceId,
        vcpu_micro_usd: rates.vcpuMicroUsd,
        memory_gib_micro_usd: rates.memoryGibMicroUsd,
        storage_gib_micro_usd: rates.storageGibMicroUsd,
        public_ip_micro_usd: rates.publicIpMicroUsd,
        created_at: now,
      })),
    )
    .execute();
  await database
    .insertInto('datacenter')
    .values(
      datacenters.map(({ id, slug, countryCode, cityCode, cityIndex, tier, certifications }) => ({
        ...{ id, slug, tier, created_at: now, country_code: countryCode },
        ...{ city_code: cityCode, city_index: cityIndex, certifications: [...certifications] },
      })),
    )
    .execute();
  await database
    .insertInto('configuration')
    .values(
      configurations.map(({ slug, size }) => {
        return { slug, vcpus: size.vcpus, memory_mib: size.memoryMib, disk_gib: size.diskGib, created_at: now };
      }),
    )
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .execute();
  const hosts = makeHosts(count);
  for (let begin = 0; begin < hosts.length; begin += rowsMax) {
    // What is left is all that they have: nothing but instances may use a host.
    const rows = hosts.slice(begin, begin + rowsMax).map(({ id, priceId, hardware, datacenter, free, ...rest }) => ({
      ...{ id, price_id: priceId, hardware, datacenter_id: datacenter?.id, additional: rest.additionalGibMax },
      ...{ vcpus: free.vcpus, memory: free.memoryMib, disk: free.diskGib },
    }));
    await sql`
      with given as (
        select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as (id uuid, price_id uuid, hardware jsonb,
          datacenter_id uuid, additional int, vcpus int, memory int, disk int)
      ), new_host as (
        insert into host (id, name, price_id, vcpu_overcommit, memory_overcommit, disk_overcommit, vcpus_limit,
          memory_mib_limit, disk_gib_limit, created_at, datacenter_id, reachable, hardware, additional_disk_gib_max)
        select id, id::text, price_id, 1, 1, 1, vcpus, memory, disk, ${now}::timestamptz, datacenter_id, true, hardware,
          additional
        from given
      ), new_pool as (
        insert into address_pool (id, host_id, cidr, first_ip, size)
        select gen_random_uuid(), id, set_masklen(base, 24)::cidr, base + 1, 254
        from (select id, '20.0.0.0'::inet + 256 * (${begin}::int + row_number() over ()) as base from given) as numbered
      )
      insert into host_health (host_id, last_seen_at, inventory)
      select id, ${now}::timestamptz + interval '1 year', '{}' from given`.execute(database);
  }
  await sql`analyze`.execute(database);
}
