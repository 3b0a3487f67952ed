// `berth local host set`: where a host stands, how far it is sold over, and what it is made of where the operator knows better.

import type { Command } from 'commander';
import { changeHost, type HostFields } from '../app/host-terms.ts';
import { BerthError } from '../model/errors.ts';
import { addCommand, type Ground } from './command.ts';
import { orNone, parseNumber } from './parse.ts';

const ratios = { cpu: '--vcpu-overcommit', memory: '--memory-overcommit', disk: '--disk-overcommit' };
const fields: HostFields = {
  overcommit: ratios,
  additionalDiskGibMax: '--additional-disk-max',
  hardware: (part, name) => `--${part}-${name}`,
};

interface Options {
  datacenter?: string;
  vcpuOvercommit?: string;
  memoryOvercommit?: string;
  diskOvercommit?: string;
  cpuManufacturer?: string;
  cpuBrand?: string;
  cpuArchitecture?: string;
  cpuGeneration?: string;
  memoryType?: string;
  memoryGeneration?: string;
  storageType?: string;
  additionalDiskMax?: string;
}

const configure = (command: Command) =>
  command
    .option('--datacenter <SLUG>', 'where it stands')
    .option('--vcpu-overcommit <RATIO>', 'vCPUs that are sold for each core')
    .option('--memory-overcommit <RATIO>', 'memory that is sold for what is there')
    .option('--disk-overcommit <RATIO>', 'storage that is sold for what is there')
    .option('--cpu-manufacturer <NAME>', 'such as AMD')
    .option('--cpu-brand <NAME>', 'such as EPYC')
    .option('--cpu-architecture <NAME>', 'such as Zen')
    .option('--cpu-generation <NAME>', 'such as 2')
    .option('--memory-type <NAME>', 'such as DDR')
    .option('--memory-generation <NAME>', 'such as 4')
    .option('--storage-type <TYPE>', 'HDD, SSD or NVMe')
    .option('--additional-disk-max <GIB>', "what one instance may have beyond its configuration's storage")
    .addHelpText('after', '\n"none" takes back what was said of place, hardware or additional storage.');

/** Adds the `set` command. */
export function addHostSet(parent: Command, ground: Ground): void {
  addCommand<Options>(
    parent,
    ground,
    'set <NAME>',
    "change a host's terms",
    configure,
    async (context, [name = ''], options) => {
      const { datacenter, vcpuOvercommit, memoryOvercommit, diskOvercommit, additionalDiskMax, ...rest } = options;
      const word = (text: string | undefined) => orNone(text, (given) => given);
      const ratio = (resource: keyof typeof ratios, text: string | undefined) =>
        text === undefined ? undefined : parseNumber(text, ratios[resource]);
      const changes = {
        datacenter: word(datacenter),
        overcommit: {
          cpu: ratio('cpu', vcpuOvercommit),
          memory: ratio('memory', memoryOvercommit),
          disk: ratio('disk', diskOvercommit),
        },
        hardware: {
          cpu: stated({
            manufacturer: word(rest.cpuManufacturer),
            brand: word(rest.cpuBrand),
            architecture: word(rest.cpuArchitecture),
            generation: word(rest.cpuGeneration),
          }),
          memory: stated({ type: word(rest.memoryType), generation: word(rest.memoryGeneration) }),
          storage: stated({ type: word(rest.storageType) }),
        },
        additionalDiskGibMax: orNone(additionalDiskMax, (text) => parseNumber(text, fields.additionalDiskGibMax)),
      };
      if (!hasAny(changes)) throw new BerthError('invalid_value', 'Give at least one thing to set; --help shows them.');
      await changeHost(context, name, changes, fields);
      return { value: { name, changed: true }, text: `Host ${name} is changed.\n` };
    },
  );
}

/** Leaves out what was not given. */
function stated<Words extends Record<string, string | null | undefined>>(
  words: Words,
): { [Name in keyof Words]?: string | null } {
  return Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined)) as {
    [Name in keyof Words]?: string | null;
  };
}

function hasAny(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return value !== undefined;
  return Object.values(value).some(hasAny);
}
