// Prices: rate cards that hosts are pointed to. A card never changes.

import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import { addPrice, listPrices, type PriceRow, requirePrice } from '../../app/price.ts';
import { isUuid } from '../../model/id.ts';
import { type RateCard, rateOfGrade } from '../../model/price.ts';
import { gradesWithRate } from '../../model/storage-grade.ts';
import type { Api } from '../types.ts';
import { Id, readId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readMomentWindow, toPage } from './page.ts';
import { Shape, Time, toTime, toUsd, Usd } from './shape.ts';

const Rate = (description: string) => Usd(`US dollars an epoch of ${description}`);

/** What an epoch of each resource costs. */
export const RatesSchema = Shape('Rates', {
  vcpu: Rate('a vCPU'),
  memoryGib: Rate('a GiB of memory'),
  storageGib: Rate('a GiB of storage'),
  gradeGib: Shape(
    'GradeRates',
    Object.fromEntries(gradesWithRate.map((grade) => [grade, Rate(`a GiB of ${grade} storage`)])),
  ),
  publicIp: Rate('an IPv4 address'),
});
const PriceSchema = Shape(
  'Price',
  { id: Id('price'), rates: RatesSchema, createdAt: Time() },
  'A rate card; never changes',
);

/** Rates as they are shown. */
export const toRates = (rates: RateCard): Static<typeof RatesSchema> => ({
  vcpu: toUsd(rates.vcpuMicroUsd),
  memoryGib: toUsd(rates.memoryGibMicroUsd),
  storageGib: toUsd(rates.storageGibMicroUsd),
  gradeGib: Object.fromEntries(gradesWithRate.map((grade) => [grade, toUsd(rateOfGrade(rates, grade))])),
  publicIp: toUsd(rates.publicIpMicroUsd),
});

const toPrice = ({ id, rates, createdAt }: PriceRow): Static<typeof PriceSchema> => ({
  id: toId('price', id),
  rates: toRates(rates),
  createdAt: toTime(createdAt),
});

/** How rates are called here. */
export const rateFields = {
  vcpuMicroUsd: 'vcpu',
  memoryGibMicroUsd: 'memoryGib',
  storageGibMicroUsd: 'storageGib',
  gradeGibMicroUsd: 'gradeGib',
  publicIpMicroUsd: 'publicIp',
};

/** Adds the routes. */
export function priceRoutes(api: Api): void {
  const forOperators = { tag: 'prices', isForOperators: true } as const;

  read(
    api,
    {
      ...{ ...forOperators, id: 'listPrices', path: '/prices', query: pageQuery },
      summary: 'The rate cards, the newest first',
      result: PageOf('PricePage', PriceSchema),
      refusals: [422],
    },
    async ({ context, caller, query }) => {
      requireCluster(caller);
      const { limit, after } = readMomentWindow(query, isUuid);
      return toPage(
        await listPrices(context, limit + 1, after),
        limit,
        ({ createdAt, id }) => [createdAt, id],
        toPrice,
      );
    },
  );

  read(
    api,
    { ...forOperators, id: 'getPrice', path: '/prices/{price}', summary: 'A rate card', result: PriceSchema },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      return toPrice(await requirePrice(context.database, readId('price', params.price)));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'createPrice', method: 'POST', path: '/prices', status: 201 },
      summary: 'Make a rate card, for hosts to be pointed to',
      description: 'Where there is an equal one, that one is answered.',
      body: Shape('NewPrice', {
        vcpu: Rate('a vCPU'),
        memoryGib: Rate('a GiB of memory'),
        storageGib: Rate('a GiB of storage'),
        gradeGib: Type.Optional(
          Shape(
            'NewGradeRates',
            Object.fromEntries(
              gradesWithRate.map((grade) => [grade, Type.Optional(Rate(`a GiB of ${grade} storage`))]),
            ),
            'Grades that are left out cost what the settings say',
          ),
        ),
        publicIp: Rate('an IPv4 address'),
      }),
      result: PriceSchema,
      location: ({ id }) => `/prices/${id}`,
      renames: Object.fromEntries(gradesWithRate.map((grade) => [`gradeGib ${grade}`, 'gradeGib'])),
    },
    async ({ context, caller, body }) => {
      requireCluster(caller);
      const given = {
        vcpuMicroUsd: body.vcpu,
        memoryGibMicroUsd: body.memoryGib,
        storageGibMicroUsd: body.storageGib,
        gradeGibMicroUsd: body.gradeGib as Record<string, string> | undefined,
        publicIpMicroUsd: body.publicIp,
      };
      return toPrice(await addPrice(context, given, rateFields, caller.actor));
    },
  );
}
