// Quotes: what instances would cost, with the room for them held and the price locked for a while. Every API takes one where it makes
// something: this one in the field `quote`, the others in the header `Berth-Quote`.

import Type, { type Static } from 'typebox';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import {
  listQuotes,
  type QuoteHold,
  type QuoteRow,
  quoteSlot,
  quoteVms,
  reachQuote,
  releaseQuote,
} from '../../app/quote.ts';
import { diskSizeMibMax } from '../../model/disk.ts';
import { BerthError } from '../../model/errors.ts';
import { isUuid } from '../../model/id.ts';
import { largestOf } from '../../model/money.ts';
import { quoteSecondsDefault, quoteSecondsMax, quoteStateAt, quoteStates } from '../../model/quote.ts';
import { slotPriceUnits } from '../../model/slot.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { AdditionalStorage, bodyFields, ConfigurationSlug, ConstraintsSchema, readConstraints } from './constraints.ts';
import { Id, readId, toId, toIdOrNull } from './id.ts';
import { instanceKinds, PlaceSchema, toPlace } from './instance-shape.ts';
import { renames, slotOf, withAdvice } from './new-instance.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readMomentWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toTimeOrNull, toUsd, Usd, Whole } from './shape.ts';

const whole32Max = 2 ** 31 - 1;

const PlacementSchema = Shape(
  'QuotePlacement',
  {
    count: Whole(1, 'Instances'),
    price: Usd('US dollars for one of them'),
    datacenter: Nullable(PlaceSchema),
    slot: Nullable(Id('slot', "A container's")),
    slotPrice: Nullable(Id('slotPrice')),
  },
  'Instances on one host',
);

const QuoteSchema = Shape(
  'Quote',
  {
    id: Id('quote'),
    account: Id('account'),
    kind: OneOf(instanceKinds),
    state: OneOf(
      quoteStates,
      'It holds what it promises while it is open; lost is one whose host is closed or out of reach',
    ),
    reason: Nullable(Text('its host is out of reach', 'Why it was lost')),
    count: Whole(1),
    configuration: Nullable(Text('cpu-2-ram-4gb-storage-25gb', 'Null for a size of its own, and for a container')),
    ...{ vcpus: Whole(2, 'Of each'), memoryMib: Whole(4096), diskGib: Whole(25) },
    unit: OneOf([...slotPriceUnits].reverse() as (typeof slotPriceUnits)[number][], 'What the prices are for'),
    price: Usd('US dollars for the dearest of them'),
    total: Usd('US dollars for all of them'),
    needed: Usd('US dollars that have to be there to make all of them'),
    placements: Type.Array(PlacementSchema),
    createdAt: Time(),
    expiresAt: Time(),
    closedAt: Nullable(Time('Null while it is open')),
    deployment: Nullable(Id('deployment', 'What was made with it')),
  },
  'A price that holds for a while, and the room that it is for',
);

const NewQuoteSchema = Shape('NewQuote', {
  account: Type.Optional(AccountRef()),
  kind: Type.Optional(OneOf(instanceKinds, '`vm` unless given')),
  validSeconds: Type.Optional(
    Whole(900, `For how long; ${quoteSecondsDefault} unless given, ${quoteSecondsMax} at most`),
  ),
  count: Type.Optional(Whole(2, 'VMs, 1 to 10; 1 unless given')),
  configuration: Type.Optional(ConfigurationSlug),
  vcpus: Type.Optional(
    Whole(2, 'With `memoryMib` and `diskGib`, in the place of a configuration', { maximum: whole32Max }),
  ),
  memoryMib: Type.Optional(Whole(4096, 'In steps of 1024', { maximum: whole32Max })),
  diskGib: Type.Optional(Whole(25, 'Of the grade `sata`', { minimum: 1, maximum: diskSizeMibMax / 1024 })),
  additionalStorageGib: Type.Optional(AdditionalStorage),
  constraints: Type.Optional(ConstraintsSchema),
  slot: Type.Optional(Id('slot', 'What a container is to run on')),
  slotPrice: Type.Optional(Id('slotPrice', 'May be left out where the slot has one price')),
});
type NewQuote = Static<typeof NewQuoteSchema>;

const fieldsOfSlots = ['slot', 'slotPrice'] as const;
const fieldsOfVms = [
  'count',
  'configuration',
  'vcpus',
  'memoryMib',
  'diskGib',
  'additionalStorageGib',
  'constraints',
] as const;

/** How the body calls its fields. */
const fields = {
  ...bodyFields,
  ...{
    instances: 'count',
    configuration: 'configuration',
    vcpus: 'vcpus',
    disks: 'diskGib',
    validSeconds: 'validSeconds',
  },
  ...{ slotId: 'slot', priceId: 'slotPrice' },
};

function toQuote({ clock }: Context, quote: QuoteRow): Static<typeof QuoteSchema> {
  const { holds, size } = quote;
  const state = quoteStateAt(quote, clock.now());
  // One that nobody has closed yet was closed by the time.
  const closedAt = state === 'expired' ? (quote.closedAt ?? quote.expiresAt) : quote.closedAt;
  return {
    ...{ id: toId('quote', quote.id), account: toId('account', quote.accountId), kind: quote.kind },
    ...{ state, reason: quote.reason, count: quote.count, configuration: quote.configuration },
    ...{ vcpus: size.vcpus, memoryMib: size.memoryMib, diskGib: size.diskGib, unit: holds[0]?.unit ?? 'epoch' },
    price: toUsd(largestOf(holds.map(({ priceMicroUsd }) => priceMicroUsd))),
    total: toUsd(holds.reduce((sum, { priceMicroUsd, count }) => sum + priceMicroUsd * BigInt(count), 0n)),
    needed: toUsd(quote.neededMicroUsd),
    placements: holds.map(toPlacement),
    ...{ createdAt: toTime(quote.createdAt), expiresAt: toTime(quote.expiresAt), closedAt: toTimeOrNull(closedAt) },
    deployment: toIdOrNull('deployment', quote.deploymentId),
  };
}

const toPlacement = ({ count, priceMicroUsd, datacenter, slot }: QuoteHold): Static<typeof PlacementSchema> => ({
  ...{ count, price: toUsd(priceMicroUsd), datacenter: toPlace(datacenter) },
  slot: toIdOrNull('slot', slot?.id ?? null),
  slotPrice: toIdOrNull('slotPrice', slot?.priceId ?? null),
});

/** @throws BerthError `unsupported` naming a field that is of the other kind */
function requireOwnFields(body: NewQuote): void {
  const { kind = 'vm' } = body;
  const field = (kind === 'vm' ? fieldsOfSlots : fieldsOfVms).find((name) => body[name] !== undefined);
  if (field === undefined) return;
  const why = kind === 'vm' ? 'is for containers; this is for VMs' : 'is for VMs; a container has what its slot has';
  throw new BerthError('unsupported', `${field} ${why}.`, field);
}

async function create(context: Context, caller: Caller, body: NewQuote): Promise<QuoteRow> {
  requireOwnFields(body);
  const at = await accountOf(context, caller, body, 'account_admin');
  const { validSeconds = quoteSecondsDefault, vcpus, memoryMib, diskGib } = body;
  if (body.kind === 'container') {
    return quoteSlot(context, at, { ...slotOf(body), validSeconds }, fields);
  }
  const { configuration, additionalStorageGib, constraints = {} } = body;
  const given = { vcpus, memoryMib, diskGib };
  const missing = (['vcpus', 'memoryMib', 'diskGib'] as const).find((name) => given[name] === undefined);
  const hasSize = Object.values(given).some((value) => value !== undefined);
  if (hasSize && missing) {
    throw new BerthError('invalid_value', `${missing} is left out; a size of its own needs it.`, missing);
  }
  const request = {
    count: body.count ?? 1,
    size: hasSize ? { vcpus: vcpus ?? 0, memoryMib: memoryMib ?? 0, diskGib: diskGib ?? null } : null,
    constraints: readConstraints(constraints, { configuration, additionalStorageGib }, bodyFields),
    validSeconds,
  };
  return withAdvice(quoteVms(context, at, request, fields));
}

/** Adds the routes. */
export function quoteRoutes(api: Api): void {
  const path = '/quotes/{quote}';

  read(
    api,
    {
      id: 'listQuotes',
      tag: 'quotes',
      summary: "An account's quotes, the newest first",
      description: 'Those that are over are listed for 30 days.',
      path: '/quotes',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef()),
        state: Type.Optional(OneOf(quoteStates, 'Only those that stand so')),
      },
      result: PageOf('QuotePage', QuoteSchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) => {
      const { limit, after } = readMomentWindow(query, isUuid);
      const { account } = await accountOf(context, caller, query, 'vm_console');
      const rows = await listQuotes(context, account.id, query.state, { limit: limit + 1, after });
      return toPage(
        rows,
        limit,
        ({ createdAt, id }) => [createdAt, id],
        (row) => toQuote(context, row),
      );
    },
  );

  read(
    api,
    { id: 'getQuote', tag: 'quotes', summary: 'A quote', path, result: QuoteSchema, refusals: ['forbidden'] },
    async ({ context, caller, params: { quote: shown } }) => {
      const { quote } = await reachQuote(context, caller, { id: readId('quote', shown), shown }, 'vm_console');
      return toQuote(context, quote);
    },
  );

  change(
    api,
    {
      id: 'createQuote',
      tag: 'quotes',
      summary: 'Hold room for VMs, or a slot for a container, at the price of now',
      description: [
        'Nobody else gets what a quote holds until it is used, let go, or its time is over; a price that changes meanwhile does not matter.',
        "It costs nothing, but what it would take to make all of it, and all of the account's other open quotes, has to be there.",
        'It is used once, by `quote` in the body that makes an instance or a deployment, or by the header `Berth-Quote` of the other APIs.',
      ].join(' '),
      method: 'POST',
      path: '/quotes',
      body: NewQuoteSchema,
      status: 201,
      result: QuoteSchema,
      location: ({ id }) => `/quotes/${id}`,
      refusals: [
        'not_found',
        'no_suitable_offer',
        'not_enough_offers',
        'insufficient_balance',
        'slot_not_available',
        'price_stale',
        'wrong_state',
      ],
      renames,
      example: {
        body: { account: 'default', count: 2, vcpus: 2, memoryMib: 4096, diskGib: 25, validSeconds: 900 },
      },
    },
    async ({ context, caller, body }) => toQuote(context, await create(context, caller, body)),
  );

  change(
    api,
    {
      id: 'deleteQuote',
      tag: 'quotes',
      summary: "Let go of an open quote; what it holds is everybody's at once",
      method: 'DELETE',
      path,
      result: QuoteSchema,
      refusals: ['quote_over'],
      current: async ({ context, caller, params: { quote: shown } }) => {
        const { quote } = await reachQuote(context, caller, { id: readId('quote', shown), shown }, 'vm_console');
        return toQuote(context, quote);
      },
    },
    async ({ context, caller, params: { quote: shown } }) => {
      const ref = { id: readId('quote', shown), shown };
      const { at } = await reachQuote(context, caller, ref, 'account_admin');
      return toQuote(context, await releaseQuote(context, at, ref));
    },
  );
}
