// How lists of what belongs to instances are narrowed: to those of an account, or of one instance.

import Type from 'typebox';
import { reachAccount } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { AccountRef, accountRef } from './account.ts';
import { InstanceRef, readInstance } from './instance-ref.ts';

/** The fields of such a list's query. */
export const instanceFilter = {
  account: Type.Optional(AccountRef('Only of this account')),
  instance: Type.Optional(InstanceRef('Only of this instance')),
};

/**
 * What {@link instanceFilter} asks for. An instance that the caller does not see has nothing.
 * @throws BerthError `not_found` for an account that the caller does not see, `invalid_value` for what is no id
 */
export async function readInstanceFilter(
  context: Context,
  caller: Caller,
  { account, instance }: { account?: string; instance?: string },
): Promise<{ accountId: string | undefined; instanceId: string | undefined }> {
  const within = account === undefined ? undefined : await reachAccount(context, caller, accountRef(account), 'see');
  return {
    accountId: within?.account.id,
    instanceId: instance === undefined ? undefined : readInstance(instance, 'instance'),
  };
}
