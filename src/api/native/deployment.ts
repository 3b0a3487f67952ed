// Deployments: instances that were made together, all or none, under one name.

import Type, { type Static } from 'typebox';
import { deleteDeployment } from '../../app/deployment-end.ts';
import {
  type DeployedInstance,
  type DeploymentRow,
  listDeployments,
  readDeployment,
} from '../../app/deployment-list.ts';
import { createInstances } from '../../app/instance-create.ts';
import { shown } from '../../model/errors.ts';
import { isUuid } from '../../model/id.ts';
import { instanceStatuses } from '../../model/instance.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { Id, readId, toId } from './id.ts';
import { readStatuses } from './instance.ts';
import { instanceKinds } from './instance-shape.ts';
import {
  groupOf,
  NewDeploymentSchema,
  newVmRefusals,
  renames,
  toInstancesRequest,
  vmFields,
  withAdvice,
} from './new-instance.ts';
import { change, read } from './operation.ts';
import { OperationSchema, toOperation } from './operation-shape.ts';
import { PageOf, pageQuery, readMomentWindow, toPage } from './page.ts';
import { SearchQuery } from './search.ts';
import { OneOf, Shape, Text, Time, toTime } from './shape.ts';

const DeploymentSchema = Shape(
  'Deployment',
  {
    id: Id('deployment'),
    account: Id('account'),
    createdAt: Time(),
    instances: Type.Array(
      Shape('DeployedInstance', {
        id: Id('instance'),
        group: Id('group'),
        kind: OneOf(instanceKinds),
        name: Text('web-1'),
        status: OneOf(instanceStatuses),
      }),
      { description: 'Those that are gone, too' },
    ),
  },
  'What was made together',
);

const toDeployment = ({ id, accountId, createdAt, instances }: DeploymentRow): Static<typeof DeploymentSchema> => ({
  id: toId('deployment', id),
  account: toId('account', accountId),
  createdAt: toTime(createdAt),
  instances: instances.map(({ groupId, ...instance }: DeployedInstance) => ({
    ...{ id: toId('instance', instance.id), group: toId('group', groupId) },
    ...{ kind: instance.kind, name: instance.name, status: instance.status },
  })),
});

/** Adds the routes. */
export function deploymentRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listDeployments',
      tag: 'deployments',
      summary: 'What an account has made together, the oldest first unless asked otherwise',
      path: '/deployments',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef()),
        search: SearchQuery,
        status: Type.Optional(
          Text('active,failed', 'Only with an instance in one of these states, separated by commas', {
            maxLength: 200,
          }),
        ),
        newestFirst: Type.Optional(Type.Boolean({ default: false, examples: [false] })),
      },
      result: PageOf('DeploymentPage', DeploymentSchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) => {
      const { limit, after } = readMomentWindow(query, isUuid);
      const { principal } = await accountOf(context, caller, query, 'vm_console');
      const { search, status, newestFirst: isNewestFirst = false } = query;
      const statuses = status === undefined ? undefined : readStatuses(status);
      const window = { limit: limit + 1, after, isNewestFirst, search, statuses };
      const rows = await listDeployments(context, principal, window);
      return toPage(rows, limit, ({ createdAt, id }) => [createdAt, id], toDeployment);
    },
  );

  read(
    api,
    {
      id: 'getDeployment',
      tag: 'deployments',
      summary: 'What was made together, as far as you see it',
      path: '/deployments/{deployment}',
      result: DeploymentSchema,
    },
    async ({ context, caller, params: { deployment } }) =>
      toDeployment(await readDeployment(context, caller, readId('deployment', deployment), shown(deployment))),
  );

  change(
    api,
    {
      id: 'createDeployment',
      tag: 'deployments',
      summary: 'Make several VMs of one name, all or none',
      method: 'POST',
      path: '/deployments',
      body: NewDeploymentSchema,
      status: 201,
      result: DeploymentSchema,
      location: ({ id }) => `/deployments/${id}`,
      refusals: newVmRefusals,
      renames,
      example: {
        body: {
          ...{ account: 'default', name: 'worker', count: 2, image: 'debian-13-x64' },
          constraints: { vcpusMin: 2, maxPricePerEpoch: '5' },
        },
      },
    },
    async ({ context, caller, body }) => {
      const at = await groupOf(context, caller, body);
      const request = await toInstancesRequest(context, at, body);
      const { deploymentId } = await withAdvice(createInstances(context, at, request, vmFields));
      return toDeployment(await readDeployment(context, caller, deploymentId, deploymentId));
    },
  );

  change(
    api,
    {
      id: 'deleteDeployment',
      tag: 'deployments',
      summary: 'Delete all that was made together, all of it or nothing',
      description:
        'As far as you see it. Its VMs go off and out of sight, and can be brought back until they are purged; its containers end for good. What is deleted already stays as it is.',
      method: 'DELETE',
      path: '/deployments/{deployment}',
      query: {
        purge: Type.Optional(
          Type.Boolean({ description: 'VMs are gone for good, too', default: false, examples: [false] }),
        ),
      },
      status: 202,
      result: Shape('DeploymentDeletion', {
        operations: Type.Array(OperationSchema, { description: 'One for each that is deleted' }),
      }),
      refusals: ['unsupported', 'wrong_state'],
      current: async ({ context, caller, params: { deployment } }) =>
        toDeployment(await readDeployment(context, caller, readId('deployment', deployment), shown(deployment))),
    },
    async ({ context, caller, params: { deployment }, query }) => {
      const id = readId('deployment', deployment);
      const isPurge = query.purge === true;
      const operations = await deleteDeployment(context, caller, { id, shownId: shown(deployment), isPurge });
      return { operations: operations.map(toOperation) };
    },
  );
}
