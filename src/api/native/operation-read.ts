// Operations: how what was asked of an instance goes. They are started by what is asked; here they are looked at.

import Type from 'typebox';
import { reachAccount } from '../../app/access.ts';
import { findOperation, listOperations } from '../../app/operation.ts';
import { isUuid } from '../../model/id.ts';
import { operationKinds, operationStatuses } from '../../model/operation.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountRef } from './account.ts';
import { readId } from './id.ts';
import { InstanceRef, readInstance } from './instance-ref.ts';
import { momentFilter, readMomentFilter } from './moment-filter.ts';
import { read } from './operation.ts';
import { OperationSchema, toOperation } from './operation-shape.ts';
import { PageOf, pageQuery, readMomentWindow, toPage } from './page.ts';
import { OneOf } from './shape.ts';

/** Adds the routes. */
export function operationRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listOperations',
      tag: 'operations',
      summary: 'What was asked of the instances that you see, the newest first',
      description: 'Operations are kept for 30 days.',
      path: '/operations',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef('Only of this account')),
        instance: Type.Optional(InstanceRef('Only of this instance')),
        status: Type.Optional(OneOf(operationStatuses, 'Only those that stand so')),
        kind: Type.Optional(OneOf(operationKinds, 'Only of this kind')),
        ...momentFilter,
      },
      result: PageOf('OperationPage', OperationSchema),
    },
    async ({ context, caller, query }) => {
      const { account, instance, status, kind } = query;
      const window = readMomentWindow(query, isUuid);
      const accountId =
        account === undefined
          ? undefined
          : (await reachAccount(context, caller, accountRef(account), 'see')).account.id;
      const instanceId = instance === undefined ? undefined : readInstance(instance, 'instance');
      const rows = await listOperations(
        context,
        caller,
        { accountId, instanceId, status, kind, ...readMomentFilter(query) },
        { limit: window.limit + 1, before: window.after },
      );
      const page = toPage(rows, window.limit, ({ createdAt, id }) => [createdAt, id], toOperation);
      // What is over by now may not have been noted yet.
      return { ...page, items: page.items.filter((one) => status === undefined || one.status === status) };
    },
  );

  read(
    api,
    {
      id: 'getOperation',
      tag: 'operations',
      summary: 'How something that was asked of an instance goes',
      path: '/operations/{operation}',
      result: OperationSchema,
    },
    async ({ context, caller, params }) =>
      toOperation(await findOperation(context, caller, readId('operation', params.operation))),
  );
}
