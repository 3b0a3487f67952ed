// Addresses of VMs: additional ones, what each is called in the other direction, and two VMs that exchange theirs.

import { isIP } from 'node:net';
import Type, { type Static } from 'typebox';
import { reachVm } from '../../app/access.ts';
import {
  addAddresses,
  additionalMax,
  exchangeAddresses,
  reachAddress,
  removeAddress,
  setReverseName,
} from '../../app/additional-address.ts';
import { listAddressesInSight, type SeenAddress } from '../../app/address-list.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { BerthError } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { Id, sampleAddress, samplesOff, toId } from './id.ts';
import { instanceFilter, readInstanceFilter } from './instance-filter.ts';
import { InstanceRef, readInstance } from './instance-ref.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Whole } from './shape.ts';

const reasonLengthMax = 1_000;

const families = ['ipv4', 'ipv6'] as const;
const ReverseName = Nullable(Text('www.example.com', 'What it is called in the other direction'));
const AddressSchema = Shape(
  'Address',
  {
    address: Text(sampleAddress),
    family: OneOf(families),
    instance: Id('instance'),
    additional: Type.Boolean({ description: 'Leads to the main address of its instance', examples: [false] }),
    reverseName: ReverseName,
    reason: Nullable(Text('a second shop', 'What it was asked for')),
  },
  'An IP that a VM holds',
);
const AddressesSchema = Shape('Addresses', { items: Type.Array(AddressSchema) });

const toAddress = (address: SeenAddress): Static<typeof AddressSchema> => ({
  address: address.ip,
  family: families[address.family === 4 ? 0 : 1],
  instance: toId('instance', address.instanceId),
  additional: address.isAdditional,
  reverseName: address.reverseName,
  reason: address.reason,
});

/** More than one VM can have, twice. */
const shownMax = 100;

async function shownOf(
  context: Context,
  caller: Caller,
  filter: { ips?: readonly string[]; instanceId?: string },
): Promise<Static<typeof AddressSchema>[]> {
  return (await listAddressesInSight(context, caller, filter, { limit: shownMax, after: null })).map(toAddress);
}

async function seen(context: Context, caller: Caller, text: string): Promise<Static<typeof AddressSchema>> {
  const { address } = await reachAddress(context, caller, text, 'see');
  const [found] = await shownOf(context, caller, { ips: [address.ip] });
  if (!found) throw new BerthError('not_found', `There is no address ${address.ip}.`, address.ip);
  return found;
}

/** Adds the routes. */
export function addressRoutes(api: Api): void {
  const path = '/addresses/{address}';
  const example = { params: { address: sampleAddress } };

  read(
    api,
    {
      id: 'listAddresses',
      tag: 'addresses',
      summary: 'The addresses of the VMs that you see, in their order',
      path: '/addresses',
      query: {
        ...{ ...pageQuery, ...instanceFilter, family: Type.Optional(OneOf(families)) },
        additional: Type.Optional(
          Type.Boolean({ description: 'Only additional ones, or only main ones', examples: [false] }),
        ),
      },
      result: PageOf('AddressPage', AddressSchema),
    },
    async ({ context, caller, query }) => {
      const { limit, after } = readWindow(query, 1, ([ip = '']) => isIP(ip) !== 0 && !ip.includes('%'));
      const { family, additional } = query;
      const filter = {
        ...(await readInstanceFilter(context, caller, query)),
        ...{ family: family && ({ ipv4: 4, ipv6: 6 } as const)[family], isAdditional: additional },
      };
      const rows = await listAddressesInSight(context, caller, filter, { limit, after: after?.[0] ?? null });
      return toPage(rows, limit, ({ ip }) => [ip], toAddress);
    },
  );

  read(
    api,
    { id: 'getAddress', tag: 'addresses', summary: 'An address', path, result: AddressSchema, example },
    async ({ context, caller, params }) => seen(context, caller, params.address),
  );

  change(
    api,
    {
      id: 'createAddresses',
      tag: 'addresses',
      summary: 'Give a VM additional IPv4 addresses, which lead to its main one at once',
      description: `A VM has up to ${additionalMax} of them.`,
      method: 'POST',
      path: '/instances/{instance}/addresses',
      body: Shape('NewAddresses', {
        count: Type.Optional(Whole(1, 'One unless given', { minimum: 1, maximum: additionalMax })),
        reason: Type.Optional(Text('a second shop', 'What they are for', { maxLength: reasonLengthMax })),
      }),
      status: 201,
      result: AddressesSchema,
      refusals: ['no_suitable_offer', 'insufficient_balance', 'wrong_state'],
      renames: { addresses: 'count', ips: 'count' },
    },
    async ({ context, caller, params, body: { count = 1, reason = null } }) => {
      const at = await reachVm(context, caller, { id: readInstance(params.instance) }, 'vm_admin');
      const ips = await addAddresses(context, at, { count, reason });
      return { items: await shownOf(context, caller, { ips }) };
    },
  );

  change(
    api,
    {
      id: 'updateAddress',
      tag: 'addresses',
      summary: 'Say what an address is called in the other direction; null is nothing',
      method: 'PATCH',
      path,
      body: Shape('AddressChange', { reverseName: Type.Optional(ReverseName) }),
      result: AddressSchema,
      example,
      refusals: ['wrong_state'],
      current: async ({ context, caller, params }) => seen(context, caller, params.address),
      renames: { rdns: 'reverseName' },
    },
    async ({ context, caller, params, body }) => {
      const found = await reachAddress(context, caller, params.address, 'vm_admin');
      if (body.reverseName !== undefined) await setReverseName(context, found, body.reverseName);
      return seen(context, caller, params.address);
    },
  );

  change(
    api,
    {
      id: 'deleteAddress',
      tag: 'addresses',
      summary: 'Give an additional address back',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      example,
      refusals: ['unsupported', 'insufficient_balance', 'wrong_state'],
      current: async ({ context, caller, params }) => seen(context, caller, params.address),
    },
    async ({ context, caller, params }) => {
      await removeAddress(context, await reachAddress(context, caller, params.address, 'vm_admin'));
      return null;
    },
  );

  change(
    api,
    {
      id: 'swapAddresses',
      tag: 'addresses',
      summary: 'Let two VMs that are off exchange their addresses',
      description: 'Both have to be on the same host. The ports that are open stay with each VM.',
      method: 'POST',
      path: '/instances/{instance}/swap-addresses',
      body: Shape('AddressSwap', {
        instance: InstanceRef('The other VM'),
        additional: Type.Optional(
          Type.Boolean({ description: 'Whether the additional ones go, too; not unless given', examples: [false] }),
        ),
      }),
      result: AddressesSchema,
      example: { params: { instance: samplesOff[0] }, body: { instance: samplesOff[1] } },
      refusals: ['insufficient_balance', 'wrong_state'],
      renames: { virtual_machine_2_id: 'instance' },
    },
    async ({ context, caller, params, body: { instance, additional = false } }) => {
      const ids = [readInstance(params.instance), readInstance(instance, 'instance')] as const;
      const one = await reachVm(context, caller, { id: ids[0] }, 'vm_admin');
      const other = await reachOther(context, caller, ids[1], instance);
      await exchangeAddresses(context, [one, other], { withAdditional: additional });
      const [first, second] = [
        await shownOf(context, caller, { instanceId: ids[0] }),
        await shownOf(context, caller, { instanceId: ids[1] }),
      ];
      return { items: [...first, ...second] };
    },
  );
}

/** The other VM of an exchange; one that the caller may not see is none. */
async function reachOther(context: Context, caller: Caller, id: string, given: string) {
  try {
    return await reachVm(context, caller, { id }, 'vm_admin');
  } catch (error) {
    const isUnknown = error instanceof BerthError && error.code === 'not_found';
    throw isUnknown
      ? new BerthError('invalid_value', `instance is ${given}, which is no VM that you have.`, 'instance')
      : error;
  }
}
