// Slots: fixed slices of hosts that are rented whole to one container each. Everybody finds those that are free; operators see all,
// and say what is let for how much.

import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { listSlotDetails, readSlotDetail, type SlotDetail } from '../../app/slot.ts';
import { addSlot, type SlotFields, setSlotPrices, setSlotState } from '../../app/slot-terms.ts';
import { mibPerGib } from '../../model/configuration.ts';
import { isUuid } from '../../model/id.ts';
import { clusterLevelOf } from '../../model/privilege.ts';
import { slotPriceUnits } from '../../model/slot.ts';
import { type SlotFilter, wordsOf } from '../../model/slot-filter.ts';
import type { Api } from '../types.ts';
import { Id, readId, sampleHostWithAgent, toId, toIdOrNull } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readMomentWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toUsd, Usd, Whole } from './shape.ts';

/** Nothing larger is sold. */
const countMax = 1_000_000;

const OperatedSchema = Shape(
  'OperatedSlot',
  {
    host: Id('host'),
    name: Text('gpu-1', 'Tells slots of a host apart'),
    state: OneOf(['open', 'closed'], 'A closed one is let no more; who rents it keeps it'),
    whyInactive: Nullable(Text('its host is out of reach', "Why it can't be rented although nobody rents it")),
    gpuIds: Type.Array(Text('GPU-1')),
    account: Nullable(Id('account', 'Who rents it')),
    instance: Nullable(Id('instance', 'What runs in it')),
    createdAt: Time(),
  },
  'What operators see of a slot',
);
const SlotSchema = Shape(
  'Slot',
  {
    id: Id('slot'),
    status: OneOf(['available', 'rented', 'inactive'], 'It can be rented while it is available'),
    vcpus: Whole(4),
    memoryGib: Whole(8),
    diskGib: Whole(50),
    cpuName: Nullable(Text('AMD EPYC 7763')),
    gpus: Type.Array(
      Shape('SlotGpu', { name: Text('NVIDIA GeForce RTX 3090'), memoryMib: Nullable(Whole(24_576)), count: Whole(1) }),
    ),
    cudaVersion: Nullable(Text('12.6')),
    country: Nullable(Text('PL')),
    city: Nullable(Text('POZ')),
    address: Nullable(Text('203.0.113.7')),
    prices: Type.Array(
      Shape('SlotPrice', {
        id: Id('slotPrice'),
        unit: OneOf(slotPriceUnits, 'What it is for: an hour, or an epoch of 24 hours; billed by the second'),
        amount: Usd(),
      }),
    ),
    operated: Nullable(OperatedSchema),
  },
  'A slice of a host that is rented whole to one container',
);

const toSlot = (slot: SlotDetail, caller: Caller): Static<typeof SlotSchema> => ({
  id: toId('slot', slot.id),
  ...{ status: slot.status, vcpus: slot.vcpus, memoryGib: slot.memoryMib / mibPerGib, diskGib: slot.diskGib },
  ...{ cpuName: slot.cpuName, gpus: slot.gpus, cudaVersion: slot.cudaVersion },
  ...{ country: slot.countryCode, city: slot.cityCode, address: slot.publicIp },
  prices: slot.prices.map(({ id, unit, amountMicroUsd }) => ({
    ...{ id: toId('slotPrice', id), unit, amount: toUsd(amountMicroUsd) },
  })),
  operated: isOperator(caller) ? toOperated(slot) : null,
});

const toOperated = (slot: SlotDetail): Static<typeof OperatedSchema> => ({
  host: toId('host', slot.hostId),
  name: slot.name,
  state: slot.state === 'open' ? 'open' : 'closed',
  ...{ whyInactive: slot.whyInactive, gpuIds: slot.gpuIds },
  account: toIdOrNull('account', slot.accountId),
  instance: toIdOrNull('instance', slot.instanceId),
  createdAt: toTime(slot.createdAt),
});

const isOperator = ({ grants }: Caller) => clusterLevelOf(grants) !== null;

const slotOf = async (context: Context, caller: Caller, id: string) =>
  toSlot(await readSlotDetail(context, id), caller);

const fields: SlotFields = {
  ...{ name: 'name', vcpus: 'vcpus', memoryGib: 'memoryGib', diskGib: 'diskGib', gpus: 'gpus' },
  ...{ hour: 'prices.hour', epoch: 'prices.epoch' },
};

const AtLeast = (example: number, description: string) =>
  Type.Optional(Whole(example, description, { minimum: 0, maximum: countMax }));
const filterQuery = {
  gpu: Type.Optional(Text('RTX 3090', 'Words in the name of one of its GPUs', { maxLength: 200 })),
  cpu: Type.Optional(Text('EPYC', "Words in its processor's name", { maxLength: 200 })),
  vcpusMin: AtLeast(1, 'vCPUs at least'),
  memoryGibMin: AtLeast(1, 'Memory at least'),
  diskGibMin: AtLeast(1, 'Storage at least'),
  available: Type.Optional(
    Type.Boolean({ description: 'For operators: only what can be rented, or only what can’t', examples: [true] }),
  ),
};

interface Query {
  gpu?: string;
  cpu?: string;
  vcpusMin?: number;
  memoryGibMin?: number;
  diskGibMin?: number;
  available?: boolean;
}

function readFilter(caller: Caller, query: Query): SlotFilter {
  const { gpu, cpu, vcpusMin, memoryGibMin, diskGibMin, available } = query;
  const isAvailable = isOperator(caller) ? available : true;
  return {
    ...(isAvailable === undefined ? {} : { isAvailable }),
    ...(gpu === undefined ? {} : { gpuName: wordsOf(gpu) }),
    ...(cpu === undefined ? {} : { cpuName: wordsOf(cpu) }),
    ...(vcpusMin === undefined ? {} : { vcpusMin }),
    ...(memoryGibMin === undefined ? {} : { memoryMibMin: memoryGibMin * mibPerGib }),
    ...(diskGibMin === undefined ? {} : { diskGibMin }),
  };
}

/** Adds the routes. */
export function slotRoutes(api: Api): void {
  const path = '/slots/{slot}';
  const forOperators = { tag: 'slots', isForOperators: true } as const;

  read(
    api,
    {
      id: 'listSlots',
      tag: 'slots',
      summary: 'The slots that can be rented, the oldest first; operators see all',
      path: '/slots',
      query: { ...pageQuery, ...filterQuery },
      result: PageOf('SlotPage', SlotSchema),
    },
    async ({ context, caller, query }) => {
      const { limit, after } = readMomentWindow(query, isUuid);
      const slots = await listSlotDetails(context, readFilter(caller, query), limit + 1, after);
      return toPage(
        slots,
        limit,
        ({ createdAt, id }) => [createdAt, id],
        (slot) => toSlot(slot, caller),
      );
    },
  );

  read(
    api,
    { id: 'getSlot', tag: 'slots', summary: 'A slot, free or not', path, result: SlotSchema },
    async ({ context, caller, params }) => slotOf(context, caller, readId('slot', params.slot)),
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'createSlot', method: 'POST', path: '/slots', status: 201 },
      summary: 'Let a slice of a host',
      body: Shape('NewSlot', {
        host: Id('host'),
        name: Text('gpu-1', 'Tells slots of a host apart', { maxLength: 63 }),
        vcpus: Whole(4),
        memoryGib: Whole(8),
        diskGib: Whole(50),
        gpus: Type.Optional(Type.Array(Text('GPU-1'), { maxItems: 64, description: "Ids of the host's GPUs" })),
        prices: Shape(
          'NewSlotPrices',
          { hour: Type.Optional(Usd('An hour')), epoch: Type.Optional(Usd('An epoch of 24 hours')) },
          'At least one; billed by the second',
        ),
      }),
      result: SlotSchema,
      example: {
        body: {
          ...{ host: sampleHostWithAgent, name: 'slice-1', vcpus: 4, memoryGib: 8, diskGib: 50 },
          prices: { hour: '0.25' },
        },
      },
      location: ({ id }) => `/slots/${id}`,
      refusals: ['not_found', 'name_taken', 'wrong_state'],
    },
    async ({ context, caller, body }) => {
      requireCluster(caller);
      const given = { ...body, host: readId('host', body.host, 'host'), gpus: body.gpus ?? [] };
      return slotOf(context, caller, await addSlot(context, given, fields, caller.actor));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'updateSlot', method: 'PATCH', path },
      summary: 'Change what a slot costs, or whether it is let; who rents it keeps it, and its price',
      body: Shape('SlotChange', {
        state: Type.Optional(OneOf(['open', 'closed'])),
        prices: Type.Optional(
          Shape(
            'SlotPricesChange',
            {
              hour: Type.Optional(Nullable(Usd('An hour'))),
              epoch: Type.Optional(Nullable(Usd('An epoch of 24 hours'))),
            },
            'Null takes a price back; one has to be left',
          ),
        ),
      }),
      result: SlotSchema,
      refusals: ['wrong_state'],
      current: async ({ context, caller, params }) => slotOf(context, caller, readId('slot', params.slot)),
    },
    async ({ context, caller, params, body }) => {
      requireCluster(caller);
      const id = readId('slot', params.slot);
      if (body.prices !== undefined) await setSlotPrices(context, id, body.prices, fields, caller.actor);
      if (body.state !== undefined) await setSlotState(context, id, body.state, caller.actor);
      return slotOf(context, caller, id);
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'deleteSlot', method: 'DELETE', path, status: 204 },
      summary: 'Remove a slot that nobody rents',
      result: Type.Null(),
      refusals: ['wrong_state'],
      current: async ({ context, caller, params }) => slotOf(context, caller, readId('slot', params.slot)),
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      await setSlotState(context, readId('slot', params.slot), 'removed', caller.actor);
      return null;
    },
  );
}
