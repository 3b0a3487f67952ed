// Accounts, by the operator's hand. Money of an account is in ledger.ts.

import { checkAccountName } from '../model/account.ts';
import { BerthError } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { type AccountRow, ensureAccount, listAccounts as read } from '../store/account.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import type { Context } from './context.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';

export type { AccountRow } from '../store/account.ts';

/** Every account with what it has, by name. */
export function listAccounts(context: Context): Promise<AccountRow[]> {
  return read(context.database);
}

/**
 * One account.
 * @throws BerthError `not_found`
 */
export async function findAccount(context: Context, nameOrId: string): Promise<AccountRow> {
  const found = await read(context.database, nameOrId);
  const account = found.find(({ name }) => name === nameOrId) ?? found[0];
  if (!account) throw unknownName('account', nameOrId);
  return account;
}

/**
 * Opens an account, with nothing in it.
 * @throws BerthError `invalid_value`, `name_taken`
 */
export async function createAccount(
  context: Context,
  name: string,
  field: string,
  actor = operatorActor,
): Promise<AccountRow> {
  checkAccountName(name, field);
  const now = context.clock.now();
  await inTransaction(context.database, async (tx) => {
    const { id, isNew } = await ensureAccount(tx, { id: newUuid(context.entropy), name, now });
    if (!isNew) throw new BerthError('name_taken', `There is an account ${name} already.`, field);
    const message = `Account ${name} was opened.`;
    await insertEvents(tx, [operatorEvent(context, 'account.created', message, { accountId: id }, actor)]);
  });
  return findAccount(context, name);
}
