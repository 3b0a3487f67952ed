// Where a container belongs and what it is called. It has a network to itself wherever it is, so nothing but its place changes, and
// its host need not hear of it.

import { BerthError, shown } from '../model/errors.ts';
import { requireAllowed } from '../model/instance.ts';
import { checkName } from '../model/name.ts';
import { isGroupGone } from '../store/database.ts';
import { claimName, releaseUnusedNames } from '../store/deployment.ts';
import { insertEvents } from '../store/event.ts';
import { writePlace } from '../store/vm-change.ts';
import type { AtGroup, AtInstance } from './access.ts';
import type { Context } from './context.ts';
import { changeInstances, eventOf } from './instance-change.ts';

/**
 * Puts a container into another group of its account, under another name where one is given.
 * @param target undefined is the group that it is in
 * @throws BerthError `unsupported` for a group of another account, whose slot it would be; `name_taken`, `wrong_state`
 */
export async function moveContainer(
  context: Context,
  { account, group, principal, instance }: AtInstance,
  target: AtGroup | undefined,
  name = instance.name,
): Promise<void> {
  const to = target ?? { account, group };
  if (to.account.id !== account.id) {
    const message = `Instance ${instance.name} is a container, which stays in the account that rents its slot.`;
    throw new BerthError('unsupported', message, 'group');
  }
  checkName(name, 'name');
  const work = changeInstances(context, principal, [instance.id], new Set(), async (tx, [handle]) => {
    if (!handle) return;
    requireAllowed('rename', handle);
    if (handle.name === name && handle.groupId === to.group.id) return;
    const { deploymentId } = handle;
    const place = { accountId: account.id, groupId: to.group.id, deploymentId, name };
    if (!(await claimName(tx, place))) {
      throw new BerthError(
        'name_taken',
        `An instance named ${shown(name)} is in the group ${to.group.name} already.`,
        'name',
      );
    }
    await writePlace(tx, handle.id, place);
    await releaseUnusedNames(tx, [deploymentId]);
    const message = `Moved from ${group.name} to ${to.group.name}, as ${name}.`;
    await insertEvents(tx, [eventOf(context, principal, handle, 'instance.moved', message)]);
  });
  await work.catch((error: unknown) => {
    throw isGroupGone(error)
      ? new BerthError('not_found', `There is no group ${to.group.name} any more.`, 'group')
      : error;
  });
}
