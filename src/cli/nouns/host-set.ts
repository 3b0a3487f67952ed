// `berth host set`: where a host stands, what it costs, how far it is sold over, and what it is made of where the operator knows better.

import type { HostChange } from '../../../sdk/generated/types.ts';
import { option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { find, hostKind } from '../find.ts';
import { actVerb } from '../verbs.ts';

interface Options {
  name?: string;
  datacenter?: string;
  price?: string;
  vcpuOvercommit?: number;
  memoryOvercommit?: number;
  storageOvercommit?: number;
  extraStorageMax?: string;
  cpuManufacturer?: string;
  cpuBrand?: string;
  cpuArchitecture?: string;
  cpuGeneration?: string;
  memoryType?: string;
  memoryGeneration?: string;
  storageType?: string;
}

function ratio(text: string): number {
  if (/^\d{1,4}(\.\d{1,6})?$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" is no ratio, such as 4 or 1.5.`);
}

/** `none` takes a word back. */
const orNone = (text: string | undefined): string | null | undefined => (text === 'none' ? null : text);

function gibOrNone(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--extra-storage-max is "${text}"; it must be a number of GiB, or none.`);
}

/** Those of the parts that were given; undefined where none was. */
function given<Parts extends object>(parts: Parts): Parts | undefined {
  return Object.values(parts).some((value) => value !== undefined) ? parts : undefined;
}

/** The verb. */
export const setVerb: Verb = actVerb<Options>({
  usage: 'set <HOST>',
  description: "change a host's terms, for what is deployed from now on",
  detail: 'What is said of the hardware goes before what was found; "none" takes your word back.',
  operation: 'updateHost',
  examples: ['host set rack-1 --vcpu-overcommit 4 --cpu-manufacturer AMD', 'host set rack-1 --datacenter none'],
  options: [
    option('--name <NAME>', 'another name'),
    option('--datacenter <DATACENTER>', 'where it stands'),
    option('--price <ID>', 'a rate card of "berth price list"; what runs keeps its own'),
    option('--vcpu-overcommit <RATIO>', 'vCPUs that are sold for each core', ratio),
    option('--memory-overcommit <RATIO>', 'memory that is sold for what is there', ratio),
    option('--storage-overcommit <RATIO>', 'storage that is sold for what is there', ratio),
    option('--extra-storage-max <GIB>', "what an instance may have beyond its size's own"),
    option('--cpu-manufacturer <NAME>', 'such as AMD'),
    option('--cpu-brand <NAME>', 'such as EPYC'),
    option('--cpu-architecture <NAME>', 'such as Zen'),
    option('--cpu-generation <NAME>', 'such as 3'),
    option('--memory-type <NAME>', 'such as DDR'),
    option('--memory-generation <NAME>', 'such as 4'),
    option('--storage-type <TYPE>', 'HDD, SSD or NVMe'),
  ],
  async act(desk, [text = ''], options) {
    const change: HostChange = {
      ...{ name: options.name, datacenter: orNone(options.datacenter), price: options.price },
      additionalDiskGibMax: gibOrNone(options.extraStorageMax),
      overcommit: given({
        ...{ cpu: options.vcpuOvercommit, memory: options.memoryOvercommit, disk: options.storageOvercommit },
      }),
      hardware: given({
        ...{ cpuManufacturer: orNone(options.cpuManufacturer), cpuBrand: orNone(options.cpuBrand) },
        ...{ cpuArchitecture: orNone(options.cpuArchitecture), cpuGeneration: orNone(options.cpuGeneration) },
        ...{ memoryType: orNone(options.memoryType), memoryGeneration: orNone(options.memoryGeneration) },
        storageType: orNone(options.storageType),
      }),
    };
    if (!given(change)) throw new UsageError('Nothing is to be changed; "berth host set --help" shows what can be.');
    const { id } = await find(desk, hostKind, text);
    const value = await desk.berth.hosts.update(id, change);
    return { value, done: `Host ${value.name} is changed.` };
  },
});
