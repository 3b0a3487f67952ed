// A price is one row of a rate card: what an epoch of each resource costs. Rows never change once written; a new rate card
// is a new row, and an instance keeps the row it was deployed under, also when it grows or shrinks.

import { gibTaken, mibPerGib, type Size } from './configuration.ts';
import type { InstanceStatus } from './instance.ts';
import type { MicroUsd } from './money.ts';
import { defaultGrade } from './storage-grade.ts';

/** What one epoch (24 h) of each resource costs, in micro-USD. */
export interface RateCard {
  vcpuMicroUsd: MicroUsd;
  memoryGibMicroUsd: MicroUsd;
  /** Storage of the default grade, and of every grade that has no rate of its own. */
  storageGibMicroUsd: MicroUsd;
  /** Storage of the grades that have a rate of their own. */
  gradeGibMicroUsd: Readonly<Record<string, MicroUsd>>;
  publicIpMicroUsd: MicroUsd;
}

/** A million dollars an epoch is a typing error; below it no price of a whole deployment leaves a bigint's range. */
export const rateMax: MicroUsd = 1_000_000_000_000n;

/** What a VM is paid for. */
export interface PricedVm {
  vcpus: number;
  memoryMib: number;
  disks: readonly { sizeMib: number; grade: string }[];
  /** IPv4 addresses, its main one among them; those of IPv6 cost nothing. */
  addresses: number;
}

/** What is paid for of a VM: of one that is deleted and can be brought back, what is kept for it. */
export function paidForOf(vm: PricedVm, status: InstanceStatus): PricedVm {
  return status === 'soft-deleted' ? { ...vm, vcpus: 0, memoryMib: 0 } : vm;
}

/** What each resource of an instance adds to its price, in micro-USD an epoch. */
export interface ResourcePrices {
  vcpu: MicroUsd;
  memory: MicroUsd;
  storage: MicroUsd;
  publicIp: MicroUsd;
}

/** What an epoch of one GiB of storage of this grade costs. */
export function rateOfGrade(rates: RateCard, grade: string): MicroUsd {
  return rates.gradeGibMicroUsd[grade] ?? rates.storageGibMicroUsd;
}

/** What an epoch of each resource of a VM costs. Memory is charged by the started GiB, and so is each disk. */
export function pricePerResourceOfVm(
  rates: RateCard,
  { vcpus, memoryMib, disks, addresses }: PricedVm,
): ResourcePrices {
  return {
    vcpu: BigInt(vcpus) * rates.vcpuMicroUsd,
    memory: BigInt(Math.ceil(memoryMib / mibPerGib)) * rates.memoryGibMicroUsd,
    storage: disks.reduce((sum, { sizeMib, grade }) => {
      return sum + BigInt(gibTaken([sizeMib])) * rateOfGrade(rates, grade);
    }, 0n),
    publicIp: BigInt(addresses) * rates.publicIpMicroUsd,
  };
}

/** What an epoch of a VM costs: the sum of {@link pricePerResourceOfVm}, in micro-USD. */
export function priceOfVm(rates: RateCard, vm: PricedVm): MicroUsd {
  const { vcpu, memory, storage, publicIp } = pricePerResourceOfVm(rates, vm);
  return vcpu + memory + storage + publicIp;
}

const vmOfSize = ({ vcpus, memoryMib, diskGib }: Size): PricedVm => ({
  ...{ vcpus, memoryMib, addresses: 1 },
  disks: [{ sizeMib: diskGib * mibPerGib, grade: defaultGrade }],
});

/** The same for a VM of this size, with one disk of the default grade and one address. */
export function pricePerResource(rates: RateCard, size: Size): ResourcePrices {
  return pricePerResourceOfVm(rates, vmOfSize(size));
}

/** What an epoch of a VM of this size costs: the sum of {@link pricePerResource}, in micro-USD. */
export function pricePerEpoch(rates: RateCard, size: Size): MicroUsd {
  return priceOfVm(rates, vmOfSize(size));
}
