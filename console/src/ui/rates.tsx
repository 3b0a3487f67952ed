// What a rate card says.

import type { Rates } from '../../../sdk/generated/types.ts';
import { usd } from '../format.ts';

/** The rates of a card in a line, each for an epoch. */
export const ratesLine = ({ vcpu, memoryGib, storageGib, publicIp }: Rates): string =>
  `${usd(vcpu)} a vCPU, ${usd(memoryGib)} a GiB of memory, ${usd(storageGib)} a GiB of storage, ${usd(publicIp)} an address`;
