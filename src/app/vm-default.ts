// What tools suggest for new VMs. Berth keeps it for them and makes nothing of it itself.

import { BerthError, type FieldFaults } from '../model/errors.ts';
import { storable } from '../model/storable.ts';
import { withoutEmpty } from '../model/vm.ts';
import { insertVmDefault, type VmDefaultRow } from '../store/vm-default.ts';
import { type Caller, reachAccount } from './access.ts';
import type { Context } from './context.ts';
import { listAccounts } from './overview.ts';
import { mergeFaults, requireNone } from './vm-request.ts';

/** A suggestion as it is made. */
export interface VmDefaultRequest {
  name: string;
  isPublic: boolean;
  /** The number of the account whose it is; undefined is the caller's first. */
  accountId: number | undefined;
  serverSettings: Record<string, unknown>;
}

const nameLengthMax = 255;

/**
 * Keeps a suggestion. A password in it is not kept: it would be every new VM's.
 * @throws InvalidFields, BerthError `not_found`, `forbidden`
 */
export async function addVmDefault(
  context: Context,
  caller: Caller,
  request: VmDefaultRequest,
  unread: FieldFaults,
): Promise<VmDefaultRow & { accountNumber: bigint }> {
  const { name, isPublic } = request;
  const nameFaults = [
    ...(name.trim() === '' ? ["can't be blank"] : []),
    ...(name.length > nameLengthMax ? [`is too long (maximum is ${nameLengthMax} characters)`] : []),
  ];
  requireNone(mergeFaults(unread, withoutEmpty({ name: nameFaults })));
  // Without a number it is for the first account that the caller sees, as his tools take it.
  const [first] = await listAccounts(context, caller);
  const number = request.accountId ?? first?.number;
  if (number === undefined) throw new BerthError('forbidden', 'This needs the privilege account_admin on an account.');
  const { account } = await reachAccount(context, caller, String(number), 'account_admin');
  const serverSettings = storable(withoutPassword(request.serverSettings));
  const row = { name, isPublic, serverSettings, accountId: account.id, now: context.clock.now() };
  return { ...(await insertVmDefault(context.database, row)), accountNumber: account.number };
}

function withoutPassword({ reimage, ...settings }: Record<string, unknown>): Record<string, unknown> {
  if (typeof reimage !== 'object' || reimage === null) return settings;
  const { root_password: _, ...rest } = reimage as Record<string, unknown>;
  return { ...settings, reimage: rest };
}
