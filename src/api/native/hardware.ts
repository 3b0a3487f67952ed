// What can be asked for of hardware, and where: what hosts that take instances are made of, and the countries they stand in.

import Type, { type Static } from 'typebox';
import { listCountries, listHardware } from '../../app/offer.ts';
import { type Hardware, storageTypes } from '../../model/hardware.ts';
import type { Api } from '../types.ts';
import { read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { Nullable, OneOf, Shape, Text } from './shape.ts';

/** What a host is made of; what nobody could find out is null. */
export const HardwareSchema = Shape(
  'Hardware',
  {
    cpuManufacturer: Nullable(Text('AMD')),
    cpuBrand: Nullable(Text('EPYC')),
    cpuArchitecture: Nullable(Text('Zen')),
    cpuGeneration: Nullable(Text('2')),
    cpuModel: Nullable(Text('AMD EPYC 7702P', 'As the processor names itself')),
    memoryType: Nullable(Text('DDR')),
    memoryGeneration: Nullable(Text('4')),
    storageType: OneOf(storageTypes),
  },
  'What a host is made of; what nobody could find out is null',
);

/** Hardware as it is shown. */
export const toHardware = ({ cpu, memory, storage }: Hardware): Static<typeof HardwareSchema> => ({
  cpuManufacturer: cpu.manufacturer,
  cpuBrand: cpu.brand,
  cpuArchitecture: cpu.architecture,
  cpuGeneration: cpu.generation,
  cpuModel: cpu.model,
  memoryType: memory.type,
  memoryGeneration: memory.generation,
  storageType: storage.type,
});

const OfferedHardwareSchema = Shape('OfferedHardware', {
  cpu: Type.Array(Shape('OfferedCpu', { manufacturer: Text('AMD'), architecture: Text('Zen') })),
  memory: Type.Array(Shape('OfferedMemory', { type: Text('DDR'), generation: Text('4') })),
  storage: Type.Array(Shape('OfferedStorage', { type: Text('NVMe') })),
});

const CountrySchema = Shape('Country', { code: Text('PL', 'ISO 3166-1 alpha-2') });

/** Adds the routes. */
export function hardwareRoutes(api: Api): void {
  read(
    api,
    {
      id: 'getHardware',
      tag: 'offers',
      summary: 'The hardware that can be asked for',
      path: '/hardware',
      result: OfferedHardwareSchema,
    },
    ({ context }) => listHardware(context),
  );
  read(
    api,
    {
      id: 'listCountries',
      tag: 'offers',
      summary: 'The countries with hosts that take instances',
      path: '/countries',
      query: pageQuery,
      result: PageOf('CountryPage', CountrySchema),
    },
    async ({ context, query }) =>
      pageOfAll(
        await listCountries(context),
        query,
        (code) => code,
        (code) => ({ code }),
      ),
  );
}
