// Groups: made, renamed and removed. What is in them is in overview.ts.

import { BerthError, InvalidFields } from '../model/errors.ts';
import { hostLabelFaults } from '../model/vm.ts';
import { inTransaction, isTakenTwice, type Tx } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import {
  defaultGroup,
  deleteGroup,
  type GroupRow,
  insertGroup,
  lockGroup,
  lockGroupsOf,
  renameGroup,
} from '../store/group.ts';
import { type AtAccount, type Caller, reachAccount, reachGroup } from './access.ts';
import type { Context } from './context.ts';
import { checkVlanNum } from './ip-range.ts';

export { defaultGroup } from '../store/group.ts';

/** Each has a number of a network, of which there are 16 million for all accounts; and people choose from the list. */
const groupsMax = 1_000;

/** What the fields are called that a refusal names. */
const nameField = 'name';
const taken = 'has already been taken';

/**
 * Makes a group in an account.
 * @throws InvalidFields; BerthError as {@link reachAccount} does
 */
export async function createGroup(
  context: Context,
  caller: Caller,
  accountRef: string,
  name: string | undefined,
): Promise<GroupRow> {
  const at = await reachAccount(context, caller, accountRef, 'account_admin');
  return openGroup(context, at, { name, vlanNumber: undefined }, { name: nameField, vlanNumber: 'vlan_num' });
}

/**
 * Makes a group in an account, with a network of a given number.
 * @param fields how the request calls its parts
 * @throws InvalidFields; BerthError `invalid_value`
 */
export async function openGroup(
  context: Context,
  { account, principal }: AtAccount,
  { name, vlanNumber }: { name: string | undefined; vlanNumber: number | undefined },
  fields: { name: string; vlanNumber: string },
): Promise<GroupRow> {
  const checked = checkGroupName(name, fields.name);
  if (vlanNumber !== undefined) checkVlanNum(vlanNumber);
  const row = { accountId: account.id, name: checked, vlanNumber, now: context.clock.now() };
  try {
    const id = await inTransaction(context.database, async (tx) => {
      const count = await lockGroupsOf(tx, account.id);
      const written = await insertGroup(tx, row);
      if (written !== undefined && count >= groupsMax) {
        throw new InvalidFields({ [fields.name]: [`can't be given: an account has at most ${groupsMax} groups`] });
      }
      if (written === undefined) throw new InvalidFields({ [fields.name]: [taken] });
      await insertEvents(tx, [eventOf(context, principal.actor, row, 'group.created', `Group ${checked} was made.`)]);
      return written;
    });
    return { id, accountId: account.id, accountNumber: account.number, name: checked };
  } catch (error) {
    if (!isTakenTwice(error, 'group_vlan_num_key')) throw error;
    throw new InvalidFields({ [fields.vlanNumber]: [taken] });
  }
}

/**
 * Gives a group another name; its VMs' host names follow. Every account's group `default` keeps its own.
 * @param name undefined leaves it as it is
 * @throws InvalidFields; BerthError as {@link reachGroup} does
 */
export async function changeGroup(
  context: Context,
  caller: Caller,
  references: { account?: string; group: string },
  name: string | undefined,
): Promise<GroupRow> {
  const { group, principal } = await reachGroup(context, caller, references, 'group_admin');
  if (name === undefined || name === group.name) return group;
  const checked = checkGroupName(name, nameField);
  if (group.name === defaultGroup)
    throw new InvalidFields({ [nameField]: [`of the group ${defaultGroup} can't be changed`] });
  await inTransaction(context.database, async (tx) => {
    await renameGroup(tx, group.id, checked);
    const message = `Group ${group.name} was renamed to ${checked}.`;
    await insertEvents(tx, [eventOf(context, principal.actor, group, 'group.renamed', message)]);
  }).catch((error) => {
    if (isTakenTwice(error, 'group_account_id_name_key')) throw new InvalidFields({ [nameField]: [taken] });
    throw error;
  });
  return { ...group, name: checked };
}

/**
 * Removes a group that nothing is in, not even a deleted VM that can be restored.
 * @throws BerthError `wrong_state`, and as {@link reachGroup} does
 */
export async function removeGroup(
  context: Context,
  caller: Caller,
  references: { account?: string; group: string },
): Promise<void> {
  const { group, principal } = await reachGroup(context, caller, references, 'account_admin');
  await inTransaction(context.database, async (tx) => {
    await requireRemovable(tx, group);
    await deleteGroup(tx, group);
    await insertEvents(tx, [
      eventOf(context, principal.actor, group, 'group.deleted', `Group ${group.name} was removed.`),
    ]);
  });
}

async function requireRemovable(tx: Tx, group: GroupRow): Promise<void> {
  if (group.name === defaultGroup) {
    throw new BerthError('wrong_state', `Every account has a group ${defaultGroup}; it can't be deleted.`);
  }
  const count = await lockGroup(tx, group.id);
  if (count === 0) return;
  const what = count === 1 ? 'a virtual machine' : `${count} virtual machines`;
  throw new BerthError('wrong_state', `Group ${group.name} holds ${what}; purge or move what is in it first.`);
}

function checkGroupName(name: string | undefined, field: string): string {
  const faults = hostLabelFaults(name ?? '');
  if (name === undefined || faults.length > 0) throw new InvalidFields({ [field]: faults });
  return name;
}

const eventOf = (
  context: Context,
  actor: string,
  { accountId }: { accountId: string },
  kind: string,
  message: string,
): NewEvent => ({
  ...{ accountId, instanceId: null, hostId: null, kind, message, actor },
  createdAt: context.clock.now(),
});
