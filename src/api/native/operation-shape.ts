// An operation as this API shows it: what was asked of an instance and takes its host a while.

import type { Static } from 'typebox';
import type { OperationView } from '../../app/operation.ts';
import { operationErrors, operationKinds, operationStatuses } from '../../model/operation.ts';
import { Id, toId } from './id.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toTimeOrNull } from './shape.ts';

export const OperationSchema = Shape(
  'Operation',
  {
    id: Id('operation'),
    kind: OneOf(operationKinds, 'What was asked for'),
    account: Id('account'),
    instance: Id('instance'),
    status: OneOf(operationStatuses),
    error: Nullable(
      Shape('OperationError', {
        code: OneOf(operationErrors, 'For programs; stays as it is'),
        detail: Text('Another order about its power came in between.'),
      }),
    ),
    actor: Text('key:first', 'Who asked'),
    createdAt: Time(),
    finishedAt: Nullable(Time('When it was seen to be over')),
  },
  'What was asked of an instance and takes its host a while',
);

/** An operation as it is shown. */
export const toOperation = (operation: OperationView): Static<typeof OperationSchema> => ({
  id: toId('operation', operation.id),
  kind: operation.kind,
  account: toId('account', operation.accountId),
  instance: toId('instance', operation.instanceId),
  status: operation.status,
  error: operation.error && { code: operation.error.code, detail: operation.error.message },
  actor: operation.actor,
  createdAt: toTime(operation.createdAt),
  finishedAt: toTimeOrNull(operation.finishedAt),
});
