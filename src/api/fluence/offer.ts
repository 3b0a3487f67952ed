// Fluence's calls of the market: what can be rented now, what it would cost, and what can be asked for.

import Type, { type Static } from 'typebox';
import {
  estimate,
  listConfigurations,
  listCountries,
  listDatacenters,
  listHardware,
  type Offer,
  searchOffers,
} from '../../app/offer.ts';
import { formatUsd } from '../../model/money.ts';
import type { Api } from '../types.ts';
import { ConstraintsSchema, constraintFields, constraintsReader, nestedConstraintFields } from './constraints.ts';
import {
  DatacenterSchema,
  FactsSchema,
  ListedDatacenterSchema,
  metadataOf,
  ResourceTypeSchema,
  toDatacenter,
  toListedDatacenter,
} from './resource.ts';
import { Optional, PageQuerySchema, windowOf } from './shape.ts';

const AdditionalSupply = Type.Object({
  type: Type.Literal('STORAGE'),
  metadata: FactsSchema,
  price: Type.String({ description: 'US dollars for one unit and epoch' }),
  supply: Type.Integer(),
  units: Type.Literal('GiB'),
  perVmLimit: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
});

const OfferSchema = Type.Object({
  configuration: Type.Object({ slug: Type.String(), price: Type.String({ description: 'US dollars an epoch' }) }),
  resources: Type.Array(Type.Object({ type: ResourceTypeSchema, metadata: FactsSchema, price: Type.String() })),
  datacenter: DatacenterSchema,
  servers: Type.Array(
    Type.Object({ availableBasicInstances: Type.Integer(), additionalResources: Type.Array(AdditionalSupply) }),
  ),
  maxAdditionalSupply: Type.Array(AdditionalSupply),
});

/** Sent as text that was made before; see {@link textOf}. */
const OffersTextSchema = Type.Unsafe<string>(Type.Array(OfferSchema));

const HardwareSchema = Type.Object({
  cpu: Type.Array(Type.Object({ manufacturer: Type.String(), architecture: Type.String() })),
  memory: Type.Array(Type.Object({ type: Type.String(), generation: Type.String() })),
  storage: Type.Array(Type.Object({ type: Type.String() })),
});

const EstimateSchema = Type.Object({
  depositAmountUsdc: Type.String(),
  depositEpochs: Type.Integer(),
  totalPricePerEpoch: Type.String(),
  maxPricePerEpoch: Type.String(),
  instances: Type.Integer(),
});

const offerFields = constraintFields('');
const estimateFields = { ...nestedConstraintFields, instances: 'instances' };

function toOffer(offer: Offer): Static<typeof OfferSchema> {
  const { resources: prices } = offer;
  const metadata = metadataOf(offer.hardware);
  const supplyOf = (gib: number) => ({
    type: 'STORAGE' as const,
    metadata: metadata.storage,
    price: formatUsd(offer.storageGibPrice),
    supply: gib,
    units: 'GiB' as const,
    perVmLimit: offer.additionalGibMax,
  });
  return {
    configuration: { slug: offer.configuration, price: formatUsd(offer.price) },
    resources: [
      { type: 'VCPU', metadata: metadata.vcpu, price: formatUsd(prices.vcpu) },
      { type: 'RAM', metadata: metadata.memory, price: formatUsd(prices.memory) },
      { type: 'STORAGE', metadata: metadata.storage, price: formatUsd(prices.storage) },
      { type: 'PUBLIC_IP', metadata: metadata.publicIp, price: formatUsd(prices.publicIp) },
    ],
    datacenter: toDatacenter(offer.datacenter),
    servers: offer.servers.map(({ available, additionalGib }) => ({
      availableBasicInstances: available,
      additionalResources: [supplyOf(additionalGib)],
    })),
    maxAdditionalSupply: [supplyOf(offer.additionalGib)],
  };
}

/** Offers as text. Those that have not changed are the same objects in every answer, and making text is most of the work. */
const texts = new WeakMap<Offer, string>();

function textOf(offer: Offer): string {
  const known = texts.get(offer);
  if (known !== undefined) return known;
  const text = JSON.stringify(toOffer(offer));
  texts.set(offer, text);
  return text;
}

/** Adds the routes. Searching and estimating read, though they are POST, so a read-only key may do both. */
export function offerRoutes({ app, context, principalOf, errors }: Api): void {
  const readConstraints = constraintsReader(() => context.settings.fluence);

  app.post(
    '/marketplace/offers',
    {
      config: { reads: true },
      schema: {
        operationId: 'searchOffers',
        summary: 'Search what can be deployed now, cheapest first',
        querystring: PageQuerySchema,
        body: ConstraintsSchema,
        response: { 200: OffersTextSchema, ...errors(400, 403, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const constraints = readConstraints(request.body, offerFields);
      const window = windowOf(request.query);
      const offers = await searchOffers(context, principalOf(request), constraints, offerFields, window);
      return reply.type('application/json; charset=utf-8').send(`[${offers.map(textOf).join(',')}]`);
    },
  );

  app.post(
    '/vms/v3/estimate',
    {
      config: { reads: true },
      schema: {
        operationId: 'estimateVms',
        summary: 'Say what a deployment would cost now',
        body: Type.Object({ constraints: Optional(ConstraintsSchema), instances: Optional(Type.Integer()) }),
        response: { 200: EstimateSchema, ...errors(400, 403, 413, 415, 422) },
      },
    },
    async (request) => {
      const constraints = readConstraints(request.body.constraints, estimateFields);
      const { instances } = request.body;
      const costs = await estimate(context, principalOf(request), constraints, instances ?? 1, estimateFields);
      return {
        depositAmountUsdc: formatUsd(costs.deposit),
        depositEpochs: costs.depositEpochs,
        totalPricePerEpoch: formatUsd(costs.total),
        maxPricePerEpoch: formatUsd(costs.max),
        instances: costs.instances,
      };
    },
  );

  app.get(
    '/marketplace/basic_configurations',
    {
      schema: {
        operationId: 'listBasicConfigurations',
        summary: 'List the sizes that are sold, smallest first',
        response: { 200: Type.Array(Type.String()), ...errors(403) },
      },
    },
    () => listConfigurations(context),
  );

  app.get(
    '/marketplace/countries',
    {
      schema: {
        operationId: 'listCountries',
        summary: 'List the countries in which there are hosts, by ISO 3166-1 code',
        response: { 200: Type.Array(Type.String()), ...errors(403) },
      },
    },
    () => listCountries(context),
  );

  app.get(
    '/marketplace/hardware',
    {
      schema: {
        operationId: 'listHardware',
        summary: 'List the hardware that can be asked for',
        response: { 200: HardwareSchema, ...errors(403) },
      },
    },
    () => listHardware(context),
  );

  app.get(
    '/v1/marketplace/datacenters',
    {
      schema: {
        operationId: 'listDatacenters',
        summary: 'List the datacenters',
        response: { 200: Type.Array(ListedDatacenterSchema), ...errors(403) },
      },
    },
    async () => (await listDatacenters(context)).map(toListedDatacenter),
  );
}
