// Offers: what can be rented now, the cheapest first, and why there is none.

import Type, { type Static } from 'typebox';
import { listOffers, type Offer } from '../../app/offer.ts';
import { explainOffers, type OfferExplanation } from '../../app/offer-explanation.ts';
import { parseConfiguration } from '../../model/configuration.ts';
import { BerthError } from '../../model/errors.ts';
import { rateOfGrade } from '../../model/price.ts';
import { type StorageGrade, storageGrades } from '../../model/storage-grade.ts';
import type { Api } from '../types.ts';
import { ConfigurationSchema, toConfiguration } from './configuration.ts';
import {
  AdditionalStorage,
  ConstraintsSchema,
  constraintQuery,
  queryFields,
  readConstraintQuery,
  toConstraints,
} from './constraints.ts';
import { DatacenterSchema, toDatacenter } from './datacenter.ts';
import { HardwareSchema, toHardware } from './hardware.ts';
import { read } from './operation.ts';
import { PageOf, pageQuery, readWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, toUsd, Usd, Whole } from './shape.ts';

const OfferSchema = Shape(
  'Offer',
  {
    configuration: ConfigurationSchema,
    pricePerEpoch: Usd('US dollars for one instance and epoch, the additional storage that was asked for included'),
    available: Whole(12, 'How many instances fit now'),
    hardware: HardwareSchema,
    datacenter: Nullable(DatacenterSchema),
    rates: Shape(
      'OfferRates',
      {
        vcpu: Usd('US dollars a vCPU and epoch'),
        memoryGib: Usd('US dollars a GiB and epoch'),
        address: Usd('US dollars an IPv4 address and epoch'),
        storage: Type.Array(
          Shape('StorageRate', { grade: OneOf(storageGrades), perGib: Usd('US dollars a GiB and epoch') }),
          { description: 'The grades of storage that are sold there' },
        ),
      },
      'What an epoch of each resource costs',
    ),
    additionalStorageGib: Whole(175, "What one instance could have now beyond the configuration's storage"),
    additionalStorageGibMax: Nullable(Whole(500, 'What one may have at most; null is no limit')),
  },
  'One configuration on hosts that differ in nothing that can be asked for',
);

function toOffer(offer: Offer, additionalGib: number): Static<typeof OfferSchema> {
  const { rates, grades, datacenter, configuration: slug } = offer;
  const size = parseConfiguration(slug) ?? { vcpus: 0, memoryMib: 0, diskGib: 0 };
  const sold = new Set([...grades.own, ...grades.apart]);
  return {
    configuration: toConfiguration({ slug, size }),
    pricePerEpoch: toUsd(offer.price + BigInt(additionalGib) * offer.storageGibPrice),
    available: offer.available,
    hardware: toHardware(offer.hardware),
    datacenter: datacenter && toDatacenter(datacenter),
    rates: {
      vcpu: toUsd(rates.vcpuMicroUsd),
      memoryGib: toUsd(rates.memoryGibMicroUsd),
      address: toUsd(rates.publicIpMicroUsd),
      storage: storageGrades
        .filter((grade: StorageGrade) => sold.has(grade))
        .map((grade) => ({ grade, perGib: toUsd(rateOfGrade(rates, grade)) })),
    },
    additionalStorageGib: offer.additionalGib,
    additionalStorageGibMax: offer.additionalGibMax,
  };
}

/** How constraints are called here that placement knows by other words. */
const names: Record<string, string> = {
  maxPricePerEpoch: 'maxPrice',
  'free vCPUs': 'freeVcpus',
  'free memory': 'freeMemory',
  'free disk': 'freeDisk',
  additionalStorage: 'additionalStorageGib',
  instances: 'count',
};
const nameOf = (constraint: string) => names[constraint] ?? constraint;

const ExplanationSchema = Shape(
  'OfferExplanation',
  {
    hosts: Whole(3, 'All that there are'),
    fitting: Whole(1, 'Those that could take at least one instance'),
    placed: Whole(1, 'How many of the instances have a place now'),
    removed: Type.Array(
      Shape('Removed', {
        constraint: Text(
          'countries',
          '`state` and `reachable` are of the hosts themselves, `freeVcpus`, `freeMemory` and `freeDisk` what they have too little of',
        ),
        hosts: Whole(2, 'Those that it was the first to turn down'),
        alone: Whole(2, 'Those that it turns down by itself'),
      }),
    ),
    relaxations: Type.Array(
      Shape('Relaxation', {
        changed: Type.Array(Text('countries'), { description: 'What differs from the request' }),
        count: Whole(1),
        configuration: Nullable(Text('cpu-2-ram-4gb-storage-25gb')),
        additionalStorageGib: AdditionalStorage,
        constraints: ConstraintsSchema,
        maxPricePerEpoch: Usd('US dollars for the dearest instance and epoch'),
        totalPricePerEpoch: Usd('US dollars for all of them and epoch'),
      }),
      { description: 'The smallest changes that would work now, the cheapest first' },
    ),
  },
  'Why the market has nothing for a request, or what it has',
);

function toExplanation(explanation: OfferExplanation): Static<typeof ExplanationSchema> {
  const { hosts, fitting, placed, removed, relaxations } = explanation;
  return {
    ...{ hosts, fitting, placed },
    removed: removed.map(({ constraint, ...counts }) => ({ constraint: nameOf(constraint), ...counts })),
    relaxations: relaxations.map(({ changed, constraints, instances, maxPrice, totalPrice }) => ({
      changed: changed.map(nameOf),
      count: instances,
      configuration: constraints.configuration,
      additionalStorageGib: constraints.additionalStorage.reduce((sum, { gib }) => sum + gib, 0),
      constraints: toConstraints(constraints),
      maxPricePerEpoch: toUsd(maxPrice),
      totalPricePerEpoch: toUsd(totalPrice),
    })),
  };
}

/** @throws BerthError `invalid_value` for a cursor that no page has given */
function readOffset(after: string[] | null): number {
  const offset = Number(after?.[0] ?? 0);
  if (Number.isSafeInteger(offset) && offset >= 0) return offset;
  throw new BerthError(
    'invalid_value',
    'cursor is none of this list; pass nextCursor of the page before, unchanged.',
    'cursor',
  );
}

/** Adds the routes. */
export function offerRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listOffers',
      tag: 'offers',
      summary: 'What can be rented now, the cheapest first',
      description:
        'Computed anew for each page: what the market changes between two pages may be missed or come twice.',
      path: '/offers',
      query: { ...pageQuery, ...constraintQuery },
      result: PageOf('OfferPage', OfferSchema),
      example: { query: { storageType: 'SSD', additionalStorageGib: 10 } },
    },
    async ({ context, query: { limit: wanted, cursor, ...query } }) => {
      const { limit, after } = readWindow({ ...(wanted ? { limit: wanted } : {}), ...(cursor ? { cursor } : {}) }, 1);
      const offset = readOffset(after);
      const window = { offset, limit: limit + 1 };
      const offers = await listOffers(context, readConstraintQuery(query), queryFields, window);
      const rows = offers.map((offer, index) => ({ offer, place: offset + index + 1 }));
      const toItem = ({ offer }: { offer: Offer }) => toOffer(offer, query.additionalStorageGib ?? 0);
      return toPage(rows, limit, ({ place }) => [String(place)], toItem);
    },
  );
  read(
    api,
    {
      id: 'explainOffers',
      tag: 'offers',
      summary: 'Why a request would find nothing, and the smallest changes that would work',
      path: '/offers/explain',
      query: {
        ...constraintQuery,
        count: Type.Optional(Type.Integer({ default: 1, description: 'Instances, 1 to 10', examples: [1] })),
      },
      result: ExplanationSchema,
      example: { query: { country: 'PL', count: 2 } },
    },
    async ({ context, query: { count = 1, ...query } }) =>
      toExplanation(
        await explainOffers(context, readConstraintQuery(query), count, { ...queryFields, instances: 'count' }),
      ),
  );
}
