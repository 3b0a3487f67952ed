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

/**
 * What an epoch of a VM of this size with one public IP costs. Memory is charged by the started GiB.
 * @returns micro-USD
 */
export function pricePerEpoch(rates: RateCard, size: Size): MicroUsd {
  return (
    BigInt(size.vcpus) * rates.vcpuMicroUsd +
    BigInt(Math.ceil(size.memoryMib / 1024)) * rates.memoryGibMicroUsd +
    BigInt(size.diskGib) * rates.storageGibMicroUsd +
    rates.publicIpMicroUsd
  );
}
