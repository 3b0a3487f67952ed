// Configurations: the sizes that are sold.

import type { Static } from 'typebox';
import { listSoldConfigurations } from '../../app/configuration.ts';
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

/** Adds the route. */
export function configurationRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listConfigurations',
      tag: 'configurations',
      summary: 'The sizes that are sold, from the smallest',
      path: '/configurations',
      query: pageQuery,
      result: PageOf('ConfigurationPage', ConfigurationSchema),
      refusals: [422],
    },
    async ({ context, query }) =>
      pageOfAll(await listSoldConfigurations(context), query, ({ slug }) => slug, toConfiguration),
  );
}
