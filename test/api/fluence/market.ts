// Hosts for tests of the market that no agent stands behind: what they are made of, where they stand and what they cost is
// exactly what a test says. They are in reach for ever; what is deployed to them stays on its way up.

import { randomUUID } from 'node:crypto';
import type { Hardware } from '../../../src/model/hardware.ts';
import type { Database } from '../../../src/store/database.ts';
import type { TestBerth } from '../../support/berth.ts';
import { openStore } from '../support.ts';

/** Two machines that the contract's examples tell of. */
export const epyc: Hardware = {
  cpu: { manufacturer: 'AMD', brand: 'EPYC', architecture: 'Zen', generation: '2', model: 'AMD EPYC 7702P' },
  memory: { type: 'DDR', generation: '4' },
  storage: { type: 'NVMe' },
};
export const xeon: Hardware = {
  cpu: { manufacturer: 'Intel', brand: 'Xeon', architecture: 'Ice Lake', generation: '3', model: 'Xeon Gold 6330' },
  memory: { type: 'DDR', generation: '5' },
  storage: { type: 'SSD' },
};
/** A machine that tells next to nothing of itself. */
export const nameless: Hardware = {
  cpu: { manufacturer: null, brand: null, architecture: null, generation: null, model: null },
  memory: { type: null, generation: null },
  storage: { type: 'HDD' },
};

/** What a test may say of a host. Rates are in micro-USD. */
export interface TestHost {
  hardware?: Hardware;
  datacenterId?: string | null;
  rates?: { vcpu: number; memoryGib: number; storageGib: number; publicIp: number };
  vcpus?: number;
  memoryGib?: number;
  diskGib?: number;
  additionalGibMax?: number | null;
}

let hosts = 0;

/** Adds a host with a pool of 254 addresses. @returns its id */
export async function addHost(database: Database, given: TestHost = {}): Promise<string> {
  const { vcpu, memoryGib, storageGib, publicIp } = given.rates ?? {
    vcpu: 100_000,
    memoryGib: 20_000,
    storageGib: 1_000,
    publicIp: 10_000,
  };
  const [id, priceId, now] = [randomUUID(), randomUUID(), new Date()];
  hosts += 1;
  await database
    .insertInto('price')
    .values({
      id: priceId,
      vcpu_micro_usd: BigInt(vcpu),
      memory_gib_micro_usd: BigInt(memoryGib),
      storage_gib_micro_usd: BigInt(storageGib),
      public_ip_micro_usd: BigInt(publicIp),
      created_at: now,
    })
    .execute();
  await database
    .insertInto('host')
    .values({
      id,
      name: `test-${hosts}`,
      price_id: priceId,
      credential_sha256: null,
      vcpu_overcommit: 1,
      memory_overcommit: 1,
      disk_overcommit: 1,
      vcpus_limit: given.vcpus ?? 64,
      memory_mib_limit: (given.memoryGib ?? 256) * 1024,
      disk_gib_limit: given.diskGib ?? 2_000,
      reachable: true,
      hardware: JSON.stringify(given.hardware ?? epyc),
      datacenter_id: given.datacenterId ?? null,
      additional_disk_gib_max: given.additionalGibMax ?? null,
      created_at: now,
    })
    .execute();
  await database
    .insertInto('address_pool')
    .values({
      id: randomUUID(),
      host_id: id,
      cidr: `127.200.${hosts}.0/24`,
      first_ip: `127.200.${hosts}.1`,
      size: 254n,
    })
    .execute();
  return id;
}

/** Adds a datacenter. @returns its id */
export async function addDatacenter(
  database: Database,
  countryCode: string,
  cityCode: string,
  more: { tier?: number; certifications?: string[]; cityIndex?: number } = {},
): Promise<string> {
  const id = randomUUID();
  const { tier = 4, certifications = [], cityIndex = 1 } = more;
  await database
    .insertInto('datacenter')
    .values({
      id,
      slug: `${countryCode}-${cityCode}-${cityIndex}`.toLowerCase(),
      country_code: countryCode,
      city_code: cityCode,
      city_index: cityIndex,
      tier,
      certifications,
      created_at: new Date(),
    })
    .execute();
  return id;
}

/** Opens the database of a Berth and takes its own host off the market, so that a test's hosts are all there is. */
export async function openMarket(berth: TestBerth): Promise<Database> {
  const database = await openStore(berth);
  await database.updateTable('host').set({ state: 'drained' }).execute();
  return database;
}
