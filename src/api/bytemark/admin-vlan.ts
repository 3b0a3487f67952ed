// Bytemark's calls of groups' networks and IP ranges, for who runs the cluster. (Bytemark API: admin.)

import Type from 'typebox';
import { requireCluster } from '../../app/access.ts';
import {
  addIpRange,
  type IpRange,
  listIpRanges,
  listVlans,
  removeVlan,
  showIpRange,
  showVlan,
  type Vlan,
} from '../../app/ip-range.ts';
import { BerthError, InvalidFields, shown } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { IdSchema, NothingSchema, Nullable } from './shape.ts';

const IpRangeSchema = Type.Object({
  id: IdSchema,
  spec: Type.String({ description: 'Such as 10.5.0.0/24' }),
  vlan_num: Nullable(Type.Integer({ description: 'Null where it is for all groups that have none of their own' })),
  zones: Type.Array(Type.String()),
  available: Type.Unsafe<bigint>({ type: 'integer', description: 'How many addresses of it are free' }),
});

const VlanSchema = Type.Object({
  id: IdSchema,
  num: Type.Integer(),
  usage_type: Type.String({ description: '"private" where it has ranges of its own, otherwise "public"' }),
  ip_ranges: Type.Array(IpRangeSchema),
});

const toIpRange = ({ id, cidr, vlanNum, available }: IpRange) => ({
  id: Number(id),
  spec: cidr,
  vlan_num: vlanNum,
  zones: [],
  available,
});

const toVlan = ({ id, num, ranges }: Vlan) => ({
  id: Number(id),
  num,
  usage_type: ranges.length > 0 ? 'private' : 'public',
  ip_ranges: ranges.map(toIpRange),
});

/** Adds the routes. */
export function adminVlanRoutes({ app, context, errors }: Api): void {
  app.get(
    '/admin/vlans',
    {
      schema: {
        operationId: 'listVlans',
        summary: "Groups' networks, with their IP ranges",
        response: { 200: Type.Array(VlanSchema), ...errors(401, 403) },
      },
    },
    async (request) => {
      requireCluster(await callerOf(context, request));
      return (await listVlans(context)).map(toVlan);
    },
  );

  app.get(
    '/admin/vlans/:vlan',
    {
      schema: {
        operationId: 'getVlan',
        summary: "A group's network by its number",
        params: Type.Object({ vlan: Type.String({ description: 'Its number' }) }),
        response: { 200: VlanSchema, ...errors(401, 403, 404) },
      },
    },
    async (request) => {
      requireCluster(await callerOf(context, request));
      return toVlan(await showVlan(context, Number(numberIn(request.params.vlan, 'VLAN', numMax))));
    },
  );

  app.delete(
    '/admin/vlans/:vlan',
    {
      schema: {
        operationId: 'deleteVlan',
        summary: 'Delete a network that no group has, by its id',
        params: Type.Object({ vlan: Type.String({ description: 'Its id' }) }),
        response: { 204: NothingSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      requireCluster(await callerOf(context, request));
      await removeVlan(context, numberIn(request.params.vlan, 'VLAN', idMax));
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/admin/ip_ranges',
    {
      schema: {
        operationId: 'listIpRanges',
        summary: 'IP ranges',
        querystring: Type.Object({ cidr: Type.Optional(Type.String()) }),
        response: { 200: Type.Array(IpRangeSchema), ...errors(400, 401, 403) },
      },
    },
    async (request) => {
      requireCluster(await callerOf(context, request));
      return (await listIpRanges(context, request.query)).map(toIpRange);
    },
  );

  app.get(
    '/admin/ip_ranges/:id',
    {
      schema: {
        operationId: 'getIpRange',
        summary: 'An IP range',
        params: Type.Object({ id: Type.String() }),
        response: { 200: IpRangeSchema, ...errors(401, 403, 404) },
      },
    },
    async (request) => {
      requireCluster(await callerOf(context, request));
      return toIpRange(await showIpRange(context, numberIn(request.params.id, 'IP range', idMax)));
    },
  );

  app.post(
    '/admin/ip_ranges',
    {
      schema: {
        operationId: 'createIpRange',
        summary: 'Give a network an IP range, from which the addresses of its VMs come from now on',
        response: { 200: IpRangeSchema, ...errors(400, 401, 403) },
      },
    },
    async (request) => {
      requireCluster(await callerOf(context, request));
      const given = attributesOf(request.body);
      const [range, vlanNum] = [given.filledText('ip_range'), given.number('vlan_num')];
      given.requireReadable();
      if (range === undefined) throw new InvalidFields({ ip_range: ["can't be blank"] });
      return toIpRange(await addIpRange(context, { range, vlanNum: vlanNum ?? null }));
    },
  );
}

/** What the columns hold. */
const numMax = 2n ** 31n - 1n;
const idMax = 2n ** 63n - 1n;

/** @throws BerthError `not_found` for what is no number, and so nothing's */
function numberIn(text: string, what: string, max: bigint): bigint {
  const number = /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (number !== undefined && number <= max) return number;
  throw new BerthError('not_found', `There is no ${what} ${shown(text)}.`, text);
}
