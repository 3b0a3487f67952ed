// A price is one row of a rate card: what an epoch of each resource costs. Rows never change once written; a new rate card
// is a new row, and an instance keeps the row it was deployed under.

import type { Size } from './configuration.ts';
import type { MicroUsd } from './money.ts';

/** What one epoch (24 h) of each resource costs, in micro-USD. */
export interface RateCard {
  vcpuMicroUsd: MicroUsd;
  memoryGibMicroUsd: MicroUsd;
  storageGibMicroUsd: MicroUsd;
  publicIpMicroUsd: MicroUsd;
}

/** A million dollars an epoch is a typing error; below it no price of a whole deployment leaves a bigint's range. */
export const rateMax: MicroUsd = 1_000_000_000_000n;

/** What each resource of an instance adds to its price, in micro-USD an epoch. */
export interface ResourcePrices {
  vcpu: MicroUsd;
  memory: MicroUsd;
  storage: MicroUsd;
  publicIp: MicroUsd;
}

/** What an epoch of each resource of a VM of this size with one public IP costs. Memory is charged by the started GiB. */
export function pricePerResource(rates: RateCard, size: Size): ResourcePrices {
  return {
    vcpu: BigInt(size.vcpus) * rates.vcpuMicroUsd,
    memory: BigInt(Math.ceil(size.memoryMib / 1024)) * rates.memoryGibMicroUsd,
    storage: BigInt(size.diskGib) * rates.storageGibMicroUsd,
    publicIp: rates.publicIpMicroUsd,
  };
}

/** What an epoch of such a VM costs: the sum of {@link pricePerResource}, in micro-USD. */
export function pricePerEpoch(rates: RateCard, size: Size): MicroUsd {
  const { vcpu, memory, storage, publicIp } = pricePerResource(rates, size);
  return vcpu + memory + storage + publicIp;
}
