// Keys that are pressed on the keyboard of a VM's console. Nothing waits for the host here: an operation tells how it went.

import { inTransaction } from '../store/database.ts';
import type { AtVm } from './access.ts';
import { orderAct } from './act.ts';
import type { Context } from './context.ts';
import { type OperationView, startOperation } from './operation.ts';
import { tellOfVm } from './vm.ts';

/**
 * Has a running VM's host press keys together.
 * @param keys names out of `sendkeys`
 * @throws BerthError as `orderAct` does
 */
export function sendKeys(context: Context, at: AtVm, keys: readonly string[]): Promise<OperationView> {
  return inTransaction(context.database, async (tx) => {
    const inside: Context = { ...context, database: tx };
    const actId = await orderAct(inside, at.vm, { kind: 'sendkey', keys });
    const message = 'Its host was told to press keys of its keyboard.';
    await tellOfVm(inside, tx, at, [{ kind: 'vm.sendkey', message }]);
    const goal = { is: 'act', actId } as const;
    return startOperation(inside, tx, at.principal, { instanceId: at.vm.id, kind: 'send-keys', goal });
  });
}
