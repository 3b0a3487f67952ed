// Instances as one looks at them, VMs and containers alike. What is done to them stands in instance-change.ts and instance-act.ts.

import Type from 'typebox';
import { reachAccount, requireCluster, seeInstance } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { type InstanceFilter, listInstancesInSight, readInstanceById } from '../../app/instance-list.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { parseInstanceId } from '../../model/id.ts';
import { type InstanceStatus, instanceStatuses } from '../../model/instance.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountRef } from './account.ts';
import { Id, parseId, readId } from './id.ts';
import { readInstance } from './instance-ref.ts';
import { InstanceSchema, instanceKinds, toInstance } from './instance-shape.ts';
import { momentFilter, readMomentFilter } from './moment-filter.ts';
import { read } from './operation.ts';
import { PageOf, pageQuery, readMomentWindow, toPage } from './page.ts';
import { OneOf, Text } from './shape.ts';

/** What is listed unless more is asked for: what is neither out of sight nor on its way out. */
const shownStatuses: readonly InstanceStatus[] = ['launching', 'active', 'stopped', 'failed', 'terminated'];
const hiddenStatuses: readonly InstanceStatus[] = ['soft-deleted', 'deleting'];
/** What is gone is in no list. */
const listedStatuses = instanceStatuses.filter((status) => status !== 'deleted');

const query = {
  ...pageQuery,
  account: Type.Optional(AccountRef('Only of this account')),
  group: Type.Optional(Id('group', 'Only in this group')),
  deployment: Type.Optional(Id('deployment', 'Only of what was deployed together')),
  kind: Type.Optional(OneOf(instanceKinds, 'Only of this kind')),
  status: Type.Optional(Text('active,stopped', 'Only in one of these states, separated by commas', { maxLength: 200 })),
  name: Type.Optional(Text('web-1', 'Only of this name', { maxLength: 63 })),
  search: Type.Optional(
    Text('web', 'Only with this in their name, host name or an address, in small or capital letters', {
      maxLength: 100,
    }),
  ),
  datacenter: Type.Optional(Text('pl-poz-1', 'Only in this datacenter, by its id or slug', { maxLength: 100 })),
  // Without an example, as it is for operators.
  host: Type.Optional(Type.String({ maxLength: 100, description: 'For operators: only on this host' })),
  ...momentFilter,
  deleted: Type.Optional(
    Type.Boolean({ description: 'Those too that are deleted and not gone yet', default: false, examples: [false] }),
  ),
};

interface Query {
  account?: string;
  group?: string;
  deployment?: string;
  kind?: 'vm' | 'container';
  status?: string;
  name?: string;
  search?: string;
  datacenter?: string;
  host?: string;
  createdAfter?: string;
  createdBefore?: string;
  deleted?: boolean;
}

/** What a list is asked for. @throws BerthError */
async function readFilter(context: Context, caller: Caller, asked: Query): Promise<InstanceFilter> {
  const { account, group, deployment, kind, status, name, search, datacenter, host, deleted } = asked;
  if (host !== undefined) requireCluster(caller);
  const at = account === undefined ? undefined : await reachAccount(context, caller, accountRef(account), 'see');
  const datacenterId = datacenter && parseId('datacenter', datacenter);
  return {
    accountId: at?.account.id,
    groupId: group === undefined ? undefined : BigInt(readId('group', group, 'group')),
    deploymentId: deployment === undefined ? undefined : readId('deployment', deployment, 'deployment'),
    kind,
    statuses: status === undefined ? [...shownStatuses, ...(deleted ? hiddenStatuses : [])] : readStatuses(status),
    ...{ name, search, ...readMomentFilter(asked) },
    hostId: host === undefined ? undefined : readId('host', host, 'host'),
    datacenter: datacenter === undefined ? undefined : datacenterId ? { id: datacenterId } : { slug: datacenter },
  };
}

/** The states that are named in a list with commas. @throws BerthError `invalid_value` */
export function readStatuses(text: string): InstanceStatus[] {
  const words = text.split(',').map((word) => word.trim());
  return words.map((word) => {
    const status = listedStatuses.find((one) => one === word);
    if (status) return status;
    const message = `status has ${shown(word)} in it; it is one or several of ${listedStatuses.join(', ')}.`;
    throw new BerthError('invalid_value', message, 'status');
  });
}

/** What `GET` shows of the instance that a path names. */
export async function currentInstance({
  context,
  caller,
  params,
}: {
  context: Context;
  caller: Caller;
  params: { instance: string };
}) {
  const instance = await seeInstance(context, caller, readInstance(params.instance), params.instance);
  return toInstance(await readInstanceById(context, instance.id));
}

/** Adds the routes. */
export function instanceRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listInstances',
      tag: 'instances',
      summary: 'The instances that you see, the oldest first',
      path: '/instances',
      query,
      result: PageOf('InstancePage', InstanceSchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query: asked }) => {
      const window = readMomentWindow(asked, (id) => parseInstanceId(id) === id);
      const filter = await readFilter(context, caller, asked);
      const rows = await listInstancesInSight(context, caller, filter, { ...window, limit: window.limit + 1 });
      return toPage(rows, window.limit, ({ createdAt, id }) => [createdAt, id], toInstance);
    },
  );

  read(
    api,
    {
      id: 'getInstance',
      tag: 'instances',
      summary: 'An instance; also one that is deleted, until it is gone',
      path: '/instances/{instance}',
      result: InstanceSchema,
    },
    currentInstance,
  );
}
