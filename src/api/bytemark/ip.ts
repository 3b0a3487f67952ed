// Bytemark's calls of addresses: additional ones of a network interface, what each is called in the other direction, and two
// VMs that exchange theirs. (Bytemark API: NICs and IPs.)

import Type from 'typebox';
import { reachVm } from '../../app/access.ts';
import {
  addAddresses,
  additionalMax,
  exchangeAddresses,
  reachAddress,
  removeAddress,
  setReverseName,
} from '../../app/additional-address.ts';
import { readNic, readVm, requireNic } from '../../app/overview.ts';
import { type FieldFaults, InvalidFields } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { NicParams, nicPath, OneNicParams } from './path.ts';
import { NothingSchema, Nullable } from './shape.ts';

const ipv4 = 'ipv4';
const reasonLengthMax = 1_000;

const IpParams = Type.Object({ ip: Type.String() });

const IpSchema = Type.Object({
  address: Type.String(),
  ip: Type.String({ description: 'The same; clients know it by either name' }),
  rdns: Nullable(Type.String({ description: 'What it is called in the other direction' })),
});

const IpCreateSchema = Type.Object({
  addresses: Type.Integer(),
  family: Type.String(),
  reason: Type.String(),
  contiguous: Type.Boolean(),
  ips: Type.Array(Type.String()),
});

const SwapSchema = Type.Object({
  virtual_machine_1_id: Type.Integer(),
  virtual_machine_2_id: Type.Integer(),
  move_additional_ips: Type.Boolean(),
});

const toIp = (ip: string, rdns: string | null) => ({ address: ip, ip, rdns });

/** Adds the routes. */
export function ipRoutes({ app, context, errors }: Api): void {
  for (const { path, operationId, params } of [
    { path: `${nicPath}/ip_create`, operationId: 'createIps', params: NicParams },
    { path: '/nics/:nic/ip_create', operationId: 'createIpsByNumber', params: OneNicParams },
  ] as const) {
    app.post(
      path,
      {
        schema: {
          operationId,
          summary: 'Give a VM additional IPv4 addresses, which lead to its main one',
          params,
          response: { 200: IpCreateSchema, ...errors(400, 401, 403, 404, 503) },
        },
      },
      async (request) => {
        const caller = await callerOf(context, request);
        const nic = request.params;
        const vm =
          'vm' in nic
            ? requireNic(await readVm(context, caller, nic, true), nic.nic)
            : await readNic(context, caller, nic.nic);
        const at = await reachVm(context, caller, { vm: String(vm.number) }, 'vm_admin');
        const wanted = readIpCreate(attributesOf(request.body));
        const ips = await addAddresses(context, at, wanted);
        return { addresses: ips.length, family: ipv4, reason: wanted.reason ?? '', contiguous: false, ips };
      },
    );
  }

  app.get(
    '/ips/:ip',
    {
      schema: {
        operationId: 'getIp',
        summary: 'An address',
        params: IpParams,
        response: { 200: IpSchema, ...errors(401, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { address } = await reachAddress(context, caller, request.params.ip, 'see');
      return toIp(address.ip, address.reverseName);
    },
  );

  app.put(
    '/ips/:ip',
    {
      schema: {
        operationId: 'updateIp',
        summary: 'Name an address in the other direction',
        params: IpParams,
        response: { 200: IpSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const found = await reachAddress(context, caller, request.params.ip, 'vm_admin');
      const given = attributesOf(request.body);
      const name = given.clearableText('rdns');
      given.requireReadable();
      const rdns = given.has('rdns') ? await setReverseName(context, found, name ?? null) : found.address.reverseName;
      return toIp(found.address.ip, rdns);
    },
  );

  app.delete(
    '/ips/:ip',
    {
      schema: {
        operationId: 'deleteIp',
        summary: 'Give an additional address back',
        params: IpParams,
        response: { 204: NothingSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const caller = await callerOf(context, request);
      await removeAddress(context, await reachAddress(context, caller, request.params.ip, 'vm_admin'));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/ips/swap_virtual_machine_ips',
    {
      schema: {
        operationId: 'swapIps',
        summary: 'Let two VMs that are off exchange their addresses',
        response: { 200: SwapSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const given = attributesOf(request.body);
      const [first, second] = [given.number('virtual_machine_1_id'), given.number('virtual_machine_2_id')];
      const withAdditional = given.flag('move_additional_ips') ?? false;
      given.requireReadable();
      if (first === undefined || second === undefined) {
        throw new InvalidFields({
          ...(first === undefined ? { virtual_machine_1_id: ["can't be blank"] } : {}),
          ...(second === undefined ? { virtual_machine_2_id: ["can't be blank"] } : {}),
        });
      }
      const one = await reachVm(context, caller, { vm: String(first) }, 'vm_admin');
      const other = await reachVm(context, caller, { vm: String(second) }, 'vm_admin');
      await exchangeAddresses(context, [one, other], { withAdditional });
      return { virtual_machine_1_id: first, virtual_machine_2_id: second, move_additional_ips: withAdditional };
    },
  );
}

/** @throws InvalidFields */
function readIpCreate(given: Attributes): { count: number; reason: string | null } {
  const count = given.number('addresses') ?? 1;
  const reason = given.filledText('reason') ?? null;
  const family = given.filledText('family') ?? ipv4;
  const contiguous = given.flag('contiguous') ?? false;
  const isCount = Number.isInteger(count) && count >= 1 && count <= additionalMax;
  const faults: FieldFaults = {
    ...(isCount ? {} : { addresses: [`must be a whole number from 1 to ${additionalMax}`] }),
    ...(family === ipv4 ? {} : { family: [`must be ${ipv4}: IPv6 is not supported for additional addresses`] }),
    ...(contiguous ? { contiguous: ['must be false: addresses one after the other are not to be had'] } : {}),
    ...((reason?.length ?? 0) > reasonLengthMax
      ? { reason: [`is too long (maximum is ${reasonLengthMax} characters)`] }
      : {}),
    ...given.faults,
  };
  if (Object.keys(faults).length > 0) throw new InvalidFields(faults);
  return { count, reason };
}
