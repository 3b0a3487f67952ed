// Accounts, opened and closed by operators who come over the network.

import { BerthError, InvalidFields } from '../model/errors.ts';
import { hostLabelFaults } from '../model/vm.ts';
import { type AccountHandle, deleteUnusedAccount, findAccount } from '../store/account.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { type Caller, reachAccount, requireCluster } from './access.ts';
import { createAccount } from './account.ts';
import type { Context } from './context.ts';

/** What the field is called that a refusal names. */
const nameField = 'name';

/**
 * Opens an account with nothing in it. Its name becomes part of its VMs' host names.
 * @throws InvalidFields; BerthError `forbidden`
 */
export async function openAccount(context: Context, caller: Caller, name: string | undefined): Promise<AccountHandle> {
  requireCluster(caller);
  const faults = hostLabelFaults(name ?? '');
  if (name === undefined || faults.length > 0) throw new InvalidFields({ [nameField]: faults });
  if (await findAccount(context.database, { name })) {
    throw new InvalidFields({ [nameField]: ['has already been taken'] });
  }
  const { id } = await createAccount(context, name, nameField, caller.actor);
  const account = await findAccount(context.database, { id });
  if (!account) throw new BerthError('unavailable', `Account ${name} was opened, and closed at once.`);
  return account;
}

/**
 * Closes an account that nothing was ever in. What was charged and deployed stays known, so any other stays.
 * @throws BerthError `wrong_state`, `forbidden`, `not_found`
 */
export async function closeAccount(
  context: Context,
  caller: Caller,
  accountRef: string | { id: string },
): Promise<void> {
  const { account } = await reachAccount(context, caller, accountRef, 'cluster_admin');
  await inTransaction(context.database, async (tx) => {
    if (!(await deleteUnusedAccount(tx, account.id))) {
      const message = `Account ${account.name} has or had instances, money or webhooks, which are kept; it can't be deleted.`;
      throw new BerthError('wrong_state', message);
    }
    await insertEvents(tx, [
      {
        ...{ accountId: null, instanceId: null, hostId: null, kind: 'account.deleted' },
        ...{ message: `Account ${account.name} was closed.`, actor: caller.actor, createdAt: context.clock.now() },
      },
    ]);
  });
}
