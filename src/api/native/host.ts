// Hosts for their operators: looking at them, enrolling them, their terms, and whether they take instances. What belongs to one of
// them stands in host-part.ts.

import Type, { type Static, type TOptional, type TSchema } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import {
  changeHost,
  enrolHost,
  type HostFields,
  listHosts,
  renameHost,
  setHostState,
  showHost,
} from '../../app/host-terms.ts';
import { setHostPrice } from '../../app/price.ts';
import { type HostState, hostStates } from '../../model/host.ts';
import type { Api } from '../types.ts';
import { HostSchema, hardwareParts, overcommitParts, toHost } from './host-shape.ts';
import { Id, parseId, readId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readWindow, toPage } from './page.ts';
import { rateFields } from './price.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, Whole } from './shape.ts';

const DatacenterRef = Text('dc_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f', 'Id or slug of a datacenter', { maxLength: 100 });
const datacenterRef = (text: string) => parseId('datacenter', text) ?? text;

type Changing<Parts extends Record<string, TSchema>> = {
  [Name in keyof Parts]: TOptional<Parts[Name]>;
};
const optional = <Parts extends Record<string, TSchema>>(parts: Parts): Changing<Parts> =>
  Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, Type.Optional(part)])) as Changing<Parts>;

const HostName = Text('edge-1', 'Letters, digits, and . _ - between them; its own', { minLength: 1, maxLength: 63 });

const HostChangeSchema = Shape('HostChange', {
  name: Type.Optional(HostName),
  datacenter: Type.Optional(Nullable(DatacenterRef)),
  price: Type.Optional(Id('price', 'What is deployed from now on costs this; what runs keeps its own')),
  overcommit: Type.Optional(Shape('OvercommitChange', optional(overcommitParts))),
  hardware: Type.Optional(
    Shape('HardwareChange', optional(hardwareParts), 'Goes before what was found; null takes your word back'),
  ),
  additionalDiskGibMax: Type.Optional(Nullable(Whole(500))),
});
type HostChange = Static<typeof HostChangeSchema>;

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const fields: HostFields = {
  overcommit: { cpu: 'overcommit.cpu', memory: 'overcommit.memory', disk: 'overcommit.disk' },
  additionalDiskGibMax: 'additionalDiskGibMax',
  hardware: (part, name) => `hardware.${part}${capital(name)}`,
};

const hostOf = async (context: Context, id: string) => toHost(await showHost(context, id));

const currentHost = ({ context, caller, params }: { context: Context; caller: Caller; params: { host: string } }) => {
  requireCluster(caller);
  return hostOf(context, readId('host', params.host));
};

async function changeTerms(context: Context, id: string, body: HostChange, actor: string): Promise<void> {
  const { name, price, datacenter, overcommit, hardware, additionalDiskGibMax } = body;
  if (name !== undefined) await renameHost(context, id, name, 'name', actor);
  if ([datacenter, overcommit, hardware, additionalDiskGibMax].some((part) => part !== undefined)) {
    const changes = {
      datacenter: typeof datacenter === 'string' ? datacenterRef(datacenter) : datacenter,
      overcommit: overcommit ?? {},
      hardware: toHardwareChanges(hardware ?? {}),
      additionalDiskGibMax,
    };
    await changeHost(context, id, changes, fields, actor);
  }
  if (price !== undefined) await setHostPrice(context, id, readId('price', price, 'price'), actor);
}

/** Leaves out what was not given. */
const stated = <Words extends Record<string, string | null | undefined>>(words: Words) =>
  Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined)) as {
    [Name in keyof Words]?: string | null;
  };

const toHardwareChanges = (given: NonNullable<HostChange['hardware']>) => ({
  cpu: stated({
    manufacturer: given.cpuManufacturer,
    brand: given.cpuBrand,
    architecture: given.cpuArchitecture,
    generation: given.cpuGeneration,
  }),
  memory: stated({ type: given.memoryType, generation: given.memoryGeneration }),
  storage: stated({ type: given.storageType }),
});

/** Adds the routes. */
export function hostRoutes(api: Api): void {
  const forOperators = { tag: 'hosts', isForOperators: true } as const;

  read(
    api,
    {
      ...{ ...forOperators, id: 'listHosts', path: '/hosts' },
      summary: 'The hosts, by their names',
      query: {
        ...pageQuery,
        state: Type.Optional(OneOf(hostStates)),
        reachable: Type.Optional(Type.Boolean({ examples: [true] })),
        datacenter: Type.Optional(DatacenterRef),
      },
      result: PageOf('HostPage', HostSchema),
    },
    async ({ context, caller, query }) => {
      requireCluster(caller);
      const { state, reachable, datacenter } = query;
      const place = datacenter === undefined ? undefined : datacenterRef(datacenter);
      const { limit, after } = readWindow(query, 1);
      const filter = { state, reachable, datacenter: place, after: after?.[0], limit: limit + 1 };
      return toPage(await listHosts(context, filter), limit, ({ name }) => [name], toHost);
    },
  );

  read(
    api,
    { ...forOperators, id: 'getHost', path: '/hosts/{host}', summary: 'A host', result: HostSchema },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      return hostOf(context, readId('host', params.host));
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'createEnrolmentToken', method: 'POST', path: '/hosts/enrolment-tokens', status: 201 },
      summary: 'Make a one-time token that enrols a machine as a host, and the host where there is none of this name',
      description: 'Terms are for a new host. One that is there keeps its own; it is enrolled again by its name alone.',
      body: Shape('NewEnrolmentToken', {
        name: Text('edge-1', "The host's name", { maxLength: 63 }),
        datacenter: Type.Optional(DatacenterRef),
        price: Type.Optional(Id('price', "The settings' where left out")),
        addressPools: Type.Optional(
          Type.Array(Text('192.0.2.0/24'), { maxItems: 64, description: 'Ranges of IPv4 addresses for its instances' }),
        ),
      }),
      result: Shape('EnrolmentToken', {
        host: Id('host'),
        name: Text('edge-1'),
        added: Type.Boolean({ description: 'Whether the host is new', examples: [true] }),
        token: Text('enrol_0123456789abcdef', 'Good for one enrolment; shown once'),
        expiresAt: Time(),
        command: Text(
          'berth agent --server https://berth.example.com --token enrol_0123456789abcdef',
          'To be run there',
        ),
      }),
      hasSecret: true,
      example: { body: { name: 'edge-1' } },
      refusals: ['not_found', 'name_taken', 'wrong_state'],
    },
    async ({ context, caller, body }) => {
      requireCluster(caller);
      const { name, datacenter, price, addressPools = [] } = body;
      const given = {
        ...{ name, priceOf: undefined, rates: {}, pools: addressPools },
        datacenter: datacenter === undefined ? undefined : datacenterRef(datacenter),
        priceId: price === undefined ? undefined : readId('price', price, 'price'),
      };
      const names = { ...rateFields, name: 'name', pools: 'addressPools' };
      const { hostId, isNew, token, expiresAt } = await enrolHost(context, given, names, caller.actor);
      return {
        ...{ host: toId('host', hostId), name, added: isNew, token, expiresAt: toTime(expiresAt) },
        command: `berth agent --server ${context.publicUrl} --token ${token}`,
      };
    },
  );

  change(
    api,
    {
      ...{ ...forOperators, id: 'updateHost', method: 'PATCH', path: '/hosts/{host}' },
      summary: "Change a host's name, or its terms for what is deployed from now on",
      body: HostChangeSchema,
      result: HostSchema,
      refusals: ['name_taken'],
      current: currentHost,
    },
    async ({ context, caller, params, body }) => {
      requireCluster(caller);
      const id = readId('host', params.host);
      await changeTerms(context, id, body, caller.actor);
      return hostOf(context, id);
    },
  );

  const states: [verb: string, state: HostState, summary: string][] = [
    ['drain', 'drained', 'Let a host take no new instances; those it has stay'],
    ['undrain', 'open', 'Let a host take new instances again, also one that was retired'],
    ['retire', 'retired', 'Take a host without instances out of the market, for the record only'],
  ];
  for (const [verb, state, summary] of states) {
    change(
      api,
      {
        ...{ ...forOperators, id: `${verb}Host`, method: 'POST', path: `/hosts/{host}/${verb}`, summary },
        result: HostSchema,
        refusals: ['wrong_state'],
        current: (ask) => currentHost({ ...ask, params: ask.params as { host: string } }),
      },
      async ({ context, caller, params }) => {
        requireCluster(caller);
        const id = readId('host', (params as { host: string }).host);
        await setHostState(context, id, state, caller.actor);
        return hostOf(context, id);
      },
    );
  }
}
