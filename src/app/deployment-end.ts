// The end of a deployment: what was made together is deleted together, all of it or nothing.

import { BerthError } from '../model/errors.ts';
import { whyNotOf } from '../model/instance.ts';
import { inTransaction } from '../store/database.ts';
import { type Caller, reachInstance } from './access.ts';
import type { Context } from './context.ts';
import { readDeployment } from './deployment-list.ts';
import { deleteInstance } from './instance-act.ts';
import type { OperationView } from './operation.ts';

/**
 * Deletes what there still is of a deployment, as far as the caller sees it: VMs so that they can be brought back for a while, or for
 * good; containers for good.
 * @throws BerthError `not_found`, `forbidden` where one of them is not the caller's to change, `wrong_state` where nothing is left
 */
export function deleteDeployment(
  context: Context,
  caller: Caller,
  { id, shownId, isPurge }: { id: string; shownId: string; isPurge: boolean },
): Promise<OperationView[]> {
  return inTransaction(context.database, async (tx) => {
    const inside = { ...context, database: tx };
    const { instances } = await readDeployment(inside, caller, id, shownId);
    const operations: OperationView[] = [];
    for (const one of instances) {
      const at = await reachInstance(inside, caller, one.id, 'vm_admin', one.name).catch((error: unknown) => {
        // What is gone stays in the record of its deployment, and can't be reached any more.
        if (error instanceof BerthError && error.code === 'not_found') return undefined;
        throw error;
      });
      // One that can be brought back is deleted already.
      if (!at || (!isPurge && at.instance.status === 'soft-deleted')) continue;
      const act = isPurge && one.kind === 'vm' ? 'purge' : 'delete';
      if (whyNotOf(act, at.instance) === null) operations.push(await deleteInstance(inside, at, isPurge));
    }
    if (operations.length > 0) return operations;
    throw new BerthError('wrong_state', `Nothing of the deployment ${shownId} is left to be deleted.`, shownId);
  });
}
