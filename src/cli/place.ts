// Where something is to be, in options that several commands share.

import type { Option } from 'commander';
import type { Constraints } from '../../sdk/generated/types.ts';
import { option, several } from './command.ts';

/** What the options come to. */
export interface PlaceOptions {
  country?: string[];
  city?: string[];
  datacenter?: string[];
  cpu?: string;
  cpuArchitecture?: string;
  storageType?: 'HDD' | 'SSD' | 'NVMe';
  maxPrice?: string;
}

/** The options. */
export const placeOptions = (): Option[] => [
  option('--country <CODES>', 'only there, such as PL,DE', several),
  option('--city <CODES>', 'only there, such as POZ', several),
  option('--datacenter <SLUGS>', 'only there', several),
  option('--cpu <MANUFACTURER>', 'only on such processors, such as AMD'),
  option('--cpu-architecture <NAME>', 'only on such processors, such as Zen'),
  option('--storage-type <TYPE>', 'only on such hosts').choices(['HDD', 'SSD', 'NVMe']),
  option('--max-price <USD>', 'at most so much an epoch, storage included'),
];

/** What they ask of a host. */
export const constraintsOf = (options: PlaceOptions): Constraints => ({
  ...{ countries: options.country, cities: options.city, datacenters: options.datacenter },
  ...{ storageType: options.storageType, cpuManufacturer: options.cpu, maxPricePerEpoch: options.maxPrice },
  cpuArchitecture: options.cpuArchitecture,
});
