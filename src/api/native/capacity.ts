// What is free where, for a picture of the market.

import type { Static } from 'typebox';
import { type Capacity, listCapacity } from '../../app/capacity.ts';
import type { Api } from '../types.ts';
import { ConfigurationSchema, toConfiguration } from './configuration.ts';
import { DatacenterSchema, toDatacenter } from './datacenter.ts';
import { read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { Nullable, Shape, toUsd, Usd, Whole } from './shape.ts';

const CapacitySchema = Shape(
  'Capacity',
  {
    datacenter: Nullable(DatacenterSchema),
    configuration: ConfigurationSchema,
    hosts: Whole(3, 'Hosts there that take instances'),
    available: Whole(12, 'How many instances of the configuration still fit'),
    pricePerEpochFrom: Nullable(Usd('US dollars for the cheapest of them and epoch; null where none fits')),
  },
  'How many instances of a configuration still fit into a datacenter',
);

const toCapacity = ({ datacenter, configuration, price, ...counts }: Capacity): Static<typeof CapacitySchema> => ({
  datacenter: datacenter && toDatacenter(datacenter),
  configuration: toConfiguration(configuration),
  hosts: counts.hosts,
  available: counts.available,
  pricePerEpochFrom: price === null ? null : toUsd(price),
});

/** Adds the route. */
export function capacityRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listCapacity',
      tag: 'offers',
      summary: 'How many instances of each configuration still fit into each datacenter',
      path: '/capacity',
      query: pageQuery,
      result: PageOf('CapacityPage', CapacitySchema),
    },
    async ({ context, query }) =>
      pageOfAll(
        await listCapacity(context),
        query,
        ({ datacenter, configuration }) => `${datacenter?.slug ?? ''}/${configuration.slug}`,
        toCapacity,
      ),
  );
}
