// Configurations: the sizes that are sold.

import Type, { type Static } from 'typebox';
import { findSoldConfiguration, listSoldConfigurations } from '../../app/configuration.ts';
import type { Size } from '../../model/configuration.ts';
import type { Api } from '../types.ts';
import { read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { Shape, Text, Whole } from './shape.ts';

/** A size that is sold. */
export const ConfigurationSchema = Shape(
  'Configuration',
  {
    slug: Text('cpu-2-ram-4gb-storage-25gb'),
    vcpus: Whole(2),
    memoryMib: Whole(4096),
    diskGib: Whole(25),
  },
  'A size that is sold',
);

/** A configuration as it is shown. */
export const toConfiguration = ({ slug, size }: { slug: string; size: Size }): Static<typeof ConfigurationSchema> => ({
  ...{ slug, vcpus: size.vcpus, memoryMib: size.memoryMib, diskGib: size.diskGib },
});

/** Adds the routes. */
export function configurationRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listConfigurations',
      tag: 'configurations',
      summary: 'The sizes that are sold, from the smallest',
      path: '/configurations',
      query: {
        ...pageQuery,
        vcpusMin: Type.Optional(Whole(1, 'Only with at least so many', { minimum: 1, maximum: 10_000 })),
        memoryMibMin: Type.Optional(Whole(1024, 'Only with at least so much', { minimum: 1, maximum: 2 ** 31 - 1 })),
        diskGibMin: Type.Optional(Whole(5, 'Only with at least so much', { minimum: 1, maximum: 2 ** 31 - 1 })),
      },
      result: PageOf('ConfigurationPage', ConfigurationSchema),
    },
    async ({ context, query }) => {
      const { vcpusMin = 0, memoryMibMin = 0, diskGibMin = 0 } = query;
      const found = (await listSoldConfigurations(context)).filter(
        ({ size }) => size.vcpus >= vcpusMin && size.memoryMib >= memoryMibMin && size.diskGib >= diskGibMin,
      );
      return pageOfAll(found, query, ({ slug }) => slug, toConfiguration);
    },
  );
  read(
    api,
    {
      id: 'getConfiguration',
      tag: 'configurations',
      summary: 'A size that is sold, by its slug',
      path: '/configurations/{configuration}',
      result: ConfigurationSchema,
      example: { params: { configuration: 'cpu-2-ram-4gb-storage-25gb' } },
    },
    async ({ context, params }) => toConfiguration(await findSoldConfiguration(context, params.configuration)),
  );
}
