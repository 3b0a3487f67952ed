// Which account a request is about that names none: the one that its caller has, where that is plain.

import { BerthError } from '../model/errors.ts';
import type { PrivilegeLevel } from '../model/privilege.ts';
import { type AtAccount, type Caller, reachAccount } from './access.ts';
import type { Context } from './context.ts';
import { listAccounts } from './overview.ts';

/**
 * The account that a request names, or the only one that its caller sees.
 * @param field what the request calls the account
 * @throws BerthError `invalid_value` where none is named and the caller sees several or none; and as {@link reachAccount} does
 */
export async function reachOwnAccount(
  context: Context,
  caller: Caller,
  ref: string | { id: string } | undefined,
  level: PrivilegeLevel | 'see',
  field: string,
): Promise<AtAccount> {
  if (ref !== undefined) return reachAccount(context, caller, ref, level);
  const own = new Set(caller.grants.flatMap(({ accountId }) => accountId ?? []));
  const [only, ...others] = own;
  if (only !== undefined && others.length === 0) return reachAccount(context, caller, { id: only }, level);
  const accounts = await listAccounts(context, caller);
  const [first] = accounts;
  if (first && accounts.length === 1) return reachAccount(context, caller, { id: first.id }, level);
  const names = accounts.slice(0, namedMax).map(({ name }) => name);
  const message = first
    ? `${field} is left out, and you see several accounts: ${names.join(', ')}${accounts.length > namedMax ? ', …' : ''}; name one.`
    : `${field} is left out, and you see no account.`;
  throw new BerthError('invalid_value', message, field);
}

const namedMax = 5;
