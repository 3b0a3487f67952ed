// Bytemark's calls of heads, tails and storage pools, for who runs the cluster. Every host is a head and a tail. (Bytemark API:
// admin.)

import type { FastifyRequest } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import { changeUsage, listHeads, listPools, readHead, readPool, type UsageChanges } from '../../app/host-overview.ts';
import { InvalidFields } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { HeadSchema, StoragePoolSchema, TailSchema, toHead, toStoragePool, toTail } from './head-shape.ts';
import { Attribute } from './shape.ts';

const RefParams = Type.Object({ ref: Type.String({ description: 'Number or label' }) });

const UsageSchema = Type.Object({
  usage_strategy: Attribute('Text: "drain" puts nothing new there; null or empty does'),
  overcommit_ratio: Attribute('A number: how far it is sold over, in per cent'),
  label: Attribute("Can't be changed"),
});

/** What this installation has no way to change. */
const fixed = ['label', 'migration_concurrency', 'note', 'iops_limit'];

/** A kind of thing, in the words of the paths. */
interface Kind<Row> {
  path: string;
  name: string;
  schema: TSchema;
  list(): Promise<Row[]>;
  read(reference: string): Promise<Row>;
  show(row: Row): unknown;
  /** The host that its usage is one with. */
  hostOf(row: Row): string;
  /** What is sold over of it. */
  sells: 'memory' | 'disk';
}

/** Adds the routes. */
export function adminHostRoutes(api: Api): void {
  const { context } = api;
  const host = { list: () => listHeads(context), read: (reference: string) => readHead(context, reference) };
  const ofHost = { ...host, hostOf: ({ id }: { id: string }) => id };
  addKind(api, { ...ofHost, path: 'heads', name: 'Head', schema: HeadSchema, show: toHead, sells: 'memory' });
  addKind(api, { ...ofHost, path: 'tails', name: 'Tail', schema: TailSchema, show: toTail, sells: 'disk' });
  addKind(api, {
    ...{ path: 'storage_pools', name: 'StoragePool', schema: StoragePoolSchema, show: toStoragePool, sells: 'disk' },
    list: () => listPools(context),
    read: (reference: string) => readPool(context, reference),
    hostOf: ({ hostId }) => hostId,
  });
}

function addKind<Row>({ app, context, errors }: Api, kind: Kind<Row>): void {
  const { path, name, schema, list, read, show, hostOf, sells } = kind;
  const requireOperator = async (request: FastifyRequest): Promise<{ actor: string }> => {
    const caller = await callerOf(context, request);
    requireCluster(caller);
    return caller;
  };

  app.get(
    `/admin/${path}`,
    {
      schema: {
        operationId: `list${name}s`,
        summary: `All ${path.replace('_', ' ')}`,
        response: { 200: Type.Array(schema), ...errors(401, 403) },
      },
    },
    async (request) => {
      await requireOperator(request);
      return (await list()).map(show);
    },
  );

  app.get(
    `/admin/${path}/:ref`,
    {
      schema: {
        operationId: `get${name}`,
        summary: 'One, by its number or label',
        params: RefParams,
        response: { 200: schema, ...errors(401, 403, 404) },
      },
    },
    async (request) => {
      await requireOperator(request);
      return show(await read(request.params.ref));
    },
  );

  app.put(
    `/admin/${path}/:ref`,
    {
      schema: {
        operationId: `update${name}`,
        summary: 'Let it take new VMs or none, and say how far it is sold over; its host goes with it',
        params: RefParams,
        body: UsageSchema,
        response: { 200: schema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { actor } = await requireOperator(request);
      const { ref } = request.params;
      await changeUsage(context, hostOf(await read(ref)), readUsage(request.body, sells), actor);
      return show(await read(ref));
    },
  );
}

/** @throws BerthError `malformed`, InvalidFields */
function readUsage(body: unknown, sells: 'memory' | 'disk'): UsageChanges {
  const attributes = attributesOf(body);
  const changed = fixed.filter((name) => attributes.has(name));
  if (changed.length > 0)
    throw new InvalidFields(Object.fromEntries(changed.map((name) => [name, ["can't be changed"]])));
  const usageStrategy = attributes.clearableText('usage_strategy');
  const percent = attributes.number('overcommit_ratio');
  attributes.requireReadable();
  return { usageStrategy, overcommitPercent: { [sells]: percent } };
}
