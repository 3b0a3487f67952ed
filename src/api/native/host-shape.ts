// A host as its operators see it.

import Type, { type Static } from 'typebox';
import type { HostInventory } from '../../app/host.ts';
import type { HostRow } from '../../app/host-terms.ts';
import type { Hardware, HardwareOverrides } from '../../model/hardware.ts';
import { hostStates } from '../../model/host.ts';
import { networkModes } from '../../model/network.ts';
import { HardwareSchema, toHardware } from './hardware.ts';
import { Id, toId, toIdOrNull } from './id.ts';
import { RatesSchema, toRates } from './price.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toTimeOrNull, Whole } from './shape.ts';

const Ratio = (description: string) => Type.Number({ description, examples: [1] });
const SizeSchema = (title: string, description: string) =>
  Shape(title, { vcpus: Whole(64), memoryMib: Whole(262_144), diskGib: Whole(4_000) }, description);

/** How far a host is sold over. */
export const overcommitParts = {
  cpu: Ratio('vCPUs that are sold for each core'),
  memory: Ratio('Memory that is sold for what is there'),
  disk: Ratio('Storage that is sold for what is there'),
};

const Word = (example: string) => Nullable(Text(example));

/** What an operator states of a host's hardware against what was found. */
export const hardwareParts = {
  cpuManufacturer: Word('AMD'),
  cpuBrand: Word('EPYC'),
  cpuArchitecture: Word('Zen'),
  cpuGeneration: Word('2'),
  memoryType: Word('DDR'),
  memoryGeneration: Word('4'),
  storageType: Nullable(Text('NVMe', 'HDD, SSD or NVMe')),
};

const MachineSchema = Shape(
  'HostMachine',
  {
    cores: Whole(32),
    memoryMib: Whole(262_144, 'Less what is kept for the host itself'),
    diskGib: Whole(4_000, 'Less what is kept for the host itself'),
    cpuModel: Text('AMD EPYC 7702P'),
    gpus: Type.Array(
      Shape('HostGpu', {
        id: Nullable(Text('GPU-1', 'Null where no driver knows it')),
        name: Text('NVIDIA GeForce RTX 3090'),
      }),
    ),
    agentVersion: Text('0.6.0'),
    hypervisor: Text('QEMU 7.2'),
    acceleration: Text('kvm'),
    containerEngine: Nullable(Text('Docker 27.0', 'Null where nothing runs containers')),
    ingressDomain: Nullable(Text('apps.example.com', 'Below which HTTPS ports are reached; null where they are not')),
  },
  'What the machine last said of itself',
);

/** A host. */
export const HostSchema = Shape(
  'Host',
  {
    id: Id('host'),
    name: Text('host-1'),
    state: OneOf(hostStates, 'A drained one takes nothing new and keeps what it has; a retired one has nothing'),
    reachable: Type.Boolean({ description: 'Whether it is heard of', examples: [true] }),
    lastSeenAt: Nullable(Time()),
    datacenter: Nullable(Id('datacenter')),
    price: Id('price', 'Of what is deployed from now on'),
    rates: RatesSchema,
    overcommit: Shape('Overcommit', overcommitParts),
    capacity: SizeSchema('HostCapacity', 'What may be sold'),
    sold: SizeSchema('HostSold', 'What of it is sold'),
    additionalDiskGibMax: Nullable(
      Whole(500, "What one instance may have beyond its configuration's storage; null: no limit"),
    ),
    instances: Whole(12, 'Of which it holds something'),
    orphans: Whole(0, 'What runs there and nobody owns'),
    strays: Type.Array(Text('qemu 4711'), { description: 'What it found there that belongs to nothing it knows of' }),
    network: OneOf(networkModes, 'How it connects its VMs'),
    machine: Nullable(MachineSchema),
    hardware: Nullable(HardwareSchema),
    hardwareOverrides: Shape('HardwareOverrides', hardwareParts, 'What you have stated of it; null where nothing'),
    createdAt: Time(),
  },
  'A machine that runs instances',
);

/** A host as it is shown. */
export const toHost = (row: HostRow): Static<typeof HostSchema> => ({
  id: toId('host', row.id),
  name: row.name,
  state: row.state,
  reachable: row.reachable,
  lastSeenAt: toTimeOrNull(row.lastSeenAt),
  datacenter: toIdOrNull('datacenter', row.datacenterId),
  price: toId('price', row.priceId),
  rates: toRates(row.rates),
  overcommit: row.overcommit,
  capacity: row.limit,
  sold: row.used,
  additionalDiskGibMax: row.additionalDiskGibMax,
  instances: row.instances,
  orphans: row.orphans,
  strays: row.strays,
  network: row.network,
  machine: row.inventory && toMachine(row.inventory as unknown as ToldInventory),
  hardware: isWhole(row.hardware) ? toHardware(row.hardware) : null,
  hardwareOverrides: toOverrides(row.hardwareOverrides),
  createdAt: toTime(row.createdAt),
});

/** What is stored of what a host said; parts that older agents leave out may be missing. */
type ToldInventory = Pick<
  HostInventory,
  'cores' | 'memoryMib' | 'diskGib' | 'cpuModel' | 'containerEngine' | 'ingress'
> & {
  hardware?: { gpus?: { id: string | null; name: string }[] };
  agentVersion?: string;
  hypervisor?: string;
  acceleration?: string;
};

const unknown = 'unknown';

const toMachine = (told: ToldInventory): Static<typeof MachineSchema> => ({
  cores: told.cores,
  memoryMib: told.memoryMib,
  diskGib: told.diskGib,
  cpuModel: told.cpuModel,
  gpus: (told.hardware?.gpus ?? []).map(({ id, name }) => ({ id, name })),
  agentVersion: told.agentVersion ?? unknown,
  hypervisor: told.hypervisor ?? unknown,
  acceleration: told.acceleration ?? unknown,
  containerEngine: told.containerEngine ? `${told.containerEngine.name} ${told.containerEngine.version}` : null,
  ingressDomain: told.ingress?.domain ?? null,
});

const isWhole = (hardware: Partial<Hardware>): hardware is Hardware =>
  hardware.cpu !== undefined && hardware.memory !== undefined && hardware.storage !== undefined;

const toOverrides = ({ cpu = {}, memory = {}, storage = {} }: HardwareOverrides) => ({
  cpuManufacturer: cpu.manufacturer ?? null,
  cpuBrand: cpu.brand ?? null,
  cpuArchitecture: cpu.architecture ?? null,
  cpuGeneration: cpu.generation ?? null,
  memoryType: memory.type ?? null,
  memoryGeneration: memory.generation ?? null,
  storageType: storage.type ?? null,
});
