// Prices: rate cards that hosts are pointed to. A card never changes.

import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import { addPrice, listPrices, type PriceRow, requirePrice, revisePrice } from '../../app/price.ts';
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

/** Rates that a request gives, as the use cases take them. */
const givenRates = (body: { [Name in keyof typeof changing]?: unknown }) => ({
  vcpuMicroUsd: body.vcpu as string | undefined,
  memoryGibMicroUsd: body.memoryGib as string | undefined,
  storageGibMicroUsd: body.storageGib as string | undefined,
  gradeGibMicroUsd: body.gradeGib as Record<string, string> | undefined,
  publicIpMicroUsd: body.publicIp as string | undefined,
});

const gradeRates = Object.fromEntries(
  gradesWithRate.map((grade) => [grade, Type.Optional(Rate(`a GiB of ${grade} storage`))]),
);
const changing = {
  vcpu: Type.Optional(Rate('a vCPU')),
  memoryGib: Type.Optional(Rate('a GiB of memory')),
  storageGib: Type.Optional(Rate('a GiB of storage')),
  gradeGib: Type.Optional(Shape('GradeRatesChange', gradeRates)),
  publicIp: Type.Optional(Rate('an IPv4 address')),
};
const renames = Object.fromEntries(gradesWithRate.map((grade) => [`gradeGib ${grade}`, 'gradeGib']));
/** No operator has more of one card. */
const hostsMax = 1_000;

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
          Shape('NewGradeRates', gradeRates, 'Grades that are left out cost what the settings say'),
        ),
        publicIp: Rate('an IPv4 address'),
      }),
      result: PriceSchema,
      location: ({ id }) => `/prices/${id}`,
      renames,
    },
    async ({ context, caller, body }) => {
      requireCluster(caller);
      return toPrice(await addPrice(context, givenRates(body), rateFields, caller.actor));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'revisePrice', method: 'POST', path: '/prices/{price}/revisions' },
      summary: 'Change rates of a card for its hosts, for what is deployed from now on',
      description: [
        'A card never changes: its hosts are pointed to another one that has the rates given and the other rates of this one.',
        'What runs keeps what it was promised.',
      ].join(' '),
      body: Shape('PriceRevision', {
        ...changing,
        hosts: Type.Optional(
          Type.Array(Id('host'), {
            maxItems: hostsMax,
            description: 'Only these of its hosts; all that have the card where left out',
          }),
        ),
      }),
      example: { body: { vcpu: '0.35' } },
      result: Shape('RevisedPrice', {
        price: PriceSchema,
        hosts: Type.Array(Id('host'), { description: 'Those that have it now and had the other' }),
      }),
      renames,
    },
    async ({ context, caller, params, body }) => {
      requireCluster(caller);
      const { hosts, ...rates } = body;
      const only = hosts?.map((host, index) => readId('host', host, `hosts[${index}]`));
      const id = readId('price', params.price);
      const { price, hostIds } = await revisePrice(context, id, givenRates(rates), rateFields, only, caller.actor);
      return { price: toPrice(price), hosts: hostIds.map((hostId) => toId('host', hostId)) };
    },
  );
}
