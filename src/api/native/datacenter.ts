// Datacenters: where hosts stand.

import type { Static } from 'typebox';
import Type from 'typebox';
import { listDatacenters } from '../../app/offer.ts';
import type { Datacenter } from '../../model/datacenter.ts';
import { BerthError, shown } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { Id, parseId, toId } from './id.ts';
import { read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { Shape, Text, Whole } from './shape.ts';

/** A datacenter. */
export const DatacenterSchema = Shape(
  'Datacenter',
  {
    id: Id('datacenter'),
    slug: Text('pl-poz-1'),
    country: Text('PL', 'ISO 3166-1 alpha-2'),
    city: Text('POZ', "The city's part of its UN/LOCODE"),
    cityIndex: Whole(1, 'Tells datacenters of one city apart'),
    tier: Whole(3, "Uptime Institute's tier, 1 to 4"),
    certifications: Type.Array(Text('ISO 27001')),
  },
  'Where hosts stand',
);

/** A datacenter as it is shown. */
export const toDatacenter = (datacenter: Datacenter): Static<typeof DatacenterSchema> => ({
  id: toId('datacenter', datacenter.id),
  slug: datacenter.slug,
  country: datacenter.countryCode,
  city: datacenter.cityCode,
  cityIndex: datacenter.cityIndex,
  tier: datacenter.tier,
  certifications: [...datacenter.certifications],
});

/** Adds the routes. */
export function datacenterRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listDatacenters',
      tag: 'datacenters',
      summary: 'The datacenters, by their slugs',
      path: '/datacenters',
      query: {
        ...pageQuery,
        country: Type.Optional(Text('PL', 'Only in this country', { maxLength: 10 })),
        city: Type.Optional(Text('POZ', 'Only in this city', { maxLength: 10 })),
      },
      result: PageOf('DatacenterPage', DatacenterSchema),
    },
    async ({ context, query }) => {
      const [country, city] = [query.country?.toUpperCase(), query.city?.toUpperCase()];
      const found = (await listDatacenters(context)).filter(
        ({ countryCode, cityCode }) =>
          [undefined, countryCode].includes(country) && [undefined, cityCode].includes(city),
      );
      return pageOfAll(found, query, ({ slug }) => slug, toDatacenter);
    },
  );
  read(
    api,
    {
      id: 'getDatacenter',
      tag: 'datacenters',
      summary: 'A datacenter, by its id or slug',
      path: '/datacenters/{datacenter}',
      result: DatacenterSchema,
    },
    async ({ context, params: { datacenter: ref } }) => {
      const uuid = parseId('datacenter', ref);
      const found = (await listDatacenters(context)).find(({ id, slug }) => id === uuid || slug === ref);
      if (found) return toDatacenter(found);
      throw new BerthError('not_found', `There is no datacenter ${shown(ref)}.`, ref);
    },
  );
}
