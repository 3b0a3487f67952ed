// What was deployed together, as whoever may see it does.

import { BerthError } from '../model/errors.ts';
import { may } from '../model/privilege.ts';
import {
  type DeploymentRow,
  type DeploymentWindow,
  findDeployment,
  listDeployments as read,
} from '../store/deployment-list.ts';
import type { Caller } from './access.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';

export type { DeployedInstance, DeploymentRow, DeploymentWindow } from '../store/deployment-list.ts';

/** An account's deployments, in the order in which they were made. */
export function listDeployments(
  { database }: Context,
  { accountId }: Principal,
  window: DeploymentWindow,
): Promise<DeploymentRow[]> {
  return read(database, accountId, window);
}

/**
 * A deployment with those of its instances that the caller sees.
 * @throws BerthError `not_found` also where he sees none of them, and nothing of the account as a whole
 */
export async function readDeployment(
  { database }: Context,
  { grants }: Caller,
  id: string,
  shownId: string,
): Promise<DeploymentRow> {
  const found = await findDeployment(database, id);
  const accountId = found?.accountId ?? '';
  const instances = (found?.instances ?? []).filter((one) => {
    return may(grants, 'vm_console', { accountId, groupId: one.groupId, instanceId: one.id });
  });
  const isSeen = found && (instances.length > 0 || may(grants, 'vm_console', { accountId }));
  if (!isSeen) throw new BerthError('not_found', `There is no deployment ${shownId}.`, shownId);
  return { ...found, instances };
}
