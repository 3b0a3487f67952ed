// Datacenters and configurations, as operators change them. Everybody reads them: datacenter.ts, configuration.ts.

import Type from 'typebox';
import { requireCluster } from '../../app/access.ts';
import { addConfiguration, findSoldConfiguration, removeConfiguration } from '../../app/configuration.ts';
import type { Context } from '../../app/context.ts';
import { addDatacenter, changeDatacenter, type DatacenterFields, removeDatacenter } from '../../app/datacenter.ts';
import { listDatacenters } from '../../app/offer.ts';
import type { Api } from '../types.ts';
import { ConfigurationSchema, toConfiguration } from './configuration.ts';
import { DatacenterSchema, toDatacenter } from './datacenter.ts';
import { parseId } from './id.ts';
import { change } from './operation.ts';
import { Shape, Text, Whole } from './shape.ts';

const fields: DatacenterFields = {
  ...{ slug: 'slug', countryCode: 'country', cityCode: 'city', cityIndex: 'cityIndex', tier: 'tier' },
  certifications: 'certifications',
};

const certifications = Type.Optional(Type.Array(Text('ISO 27001'), { maxItems: 32 }));
const country = Text('PL', 'ISO 3166-1 alpha-2', { maxLength: 10 });
const city = Text('WAW', "The city's part of its UN/LOCODE", { maxLength: 10 });
const cityIndex = Type.Optional(Whole(4_711, 'Tells datacenters of one city apart; 1 where left out'));
const tier = Whole(3, "Uptime Institute's tier, 1 to 4");

/** What a path means that names a datacenter by its id or slug. */
const refOf = (text: string) => parseId('datacenter', text) ?? text;

async function currentDatacenter(context: Context, text: string): Promise<unknown> {
  const ref = refOf(text);
  const found = (await listDatacenters(context)).find(({ id, slug }) => id === ref || slug === ref);
  return found ? toDatacenter(found) : null;
}

/** Adds the routes. */
export function catalogChangeRoutes(api: Api): void {
  const forOperators = { isForOperators: true } as const;
  const path = '/datacenters/{datacenter}';

  change(
    api,
    {
      ...{
        ...forOperators,
        id: 'createDatacenter',
        tag: 'datacenters',
        method: 'POST',
        path: '/datacenters',
        status: 201,
      },
      summary: 'Add a datacenter',
      body: Shape('NewDatacenter', {
        slug: Text('pl-waw-1', 'Lower-case letters, digits and -', { maxLength: 63 }),
        ...{ country, city, cityIndex, tier, certifications },
      }),
      result: DatacenterSchema,
      location: ({ id }) => `/datacenters/${id}`,
      refusals: ['name_taken'],
    },
    async ({ context, caller, body }) => {
      requireCluster(caller);
      const { slug, country: countryCode, city: cityCode, cityIndex: index = 1, tier: level } = body;
      const given = { slug, countryCode, cityCode, cityIndex: index, tier: level };
      const terms = { ...given, certifications: body.certifications ?? [] };
      return toDatacenter(await addDatacenter(context, terms, fields, caller.actor));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'updateDatacenter', tag: 'datacenters', method: 'PATCH', path },
      summary: 'Change what is said of a datacenter',
      body: Shape('DatacenterChange', {
        ...{ country: Type.Optional(country), city: Type.Optional(city), cityIndex, tier: Type.Optional(tier) },
        certifications,
      }),
      result: DatacenterSchema,
      example: { body: { tier: 4, certifications: ['ISO 27001'] } },
      refusals: ['name_taken'],
      current: ({ context, params }) => currentDatacenter(context, params.datacenter),
    },
    async ({ context, caller, params, body }) => {
      requireCluster(caller);
      const { country: countryCode, city: cityCode, ...rest } = body;
      const changes = { ...rest, countryCode, cityCode } as Parameters<typeof changeDatacenter>[2];
      return toDatacenter(await changeDatacenter(context, refOf(params.datacenter), changes, fields, caller.actor));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'deleteDatacenter', tag: 'datacenters', method: 'DELETE', path, status: 204 },
      summary: 'Remove a datacenter in which no host stands',
      result: Type.Null(),
      refusals: ['wrong_state'],
      current: ({ context, params }) => currentDatacenter(context, params.datacenter),
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      await removeDatacenter(context, refOf(params.datacenter), caller.actor);
      return null;
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'createConfiguration', tag: 'configurations', method: 'POST', path: '/configurations' },
      status: 201,
      summary: 'Put a size on sale, on every host that it fits on',
      location: ({ slug }) => `/configurations/${slug}`,
      body: Shape('NewConfiguration', {
        slug: Text('cpu-3-ram-7gb-storage-33gb', 'Says the size', { maxLength: 100 }),
      }),
      result: ConfigurationSchema,
      refusals: ['name_taken'],
    },
    async ({ context, caller, body: { slug } }) => {
      requireCluster(caller);
      return toConfiguration({ slug, size: await addConfiguration(context, slug, caller.actor, 'slug') });
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'deleteConfiguration', tag: 'configurations', method: 'DELETE', status: 204 },
      path: '/configurations/{configuration}',
      summary: 'Sell a size, named by its slug, no longer; what runs of it runs on',
      result: Type.Null(),
      example: { params: { configuration: 'cpu-16-ram-32gb-storage-25gb' } },
      current: async ({ context, caller, params }) => {
        requireCluster(caller);
        return toConfiguration(await findSoldConfiguration(context, params.configuration));
      },
      refusals: ['wrong_state'],
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      await removeConfiguration(context, params.configuration, caller.actor);
      return null;
    },
  );
}
