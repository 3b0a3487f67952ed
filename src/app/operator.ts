// What the operator's use cases share: how each change is told, and what an unknown name is answered with. The operator is
// whoever may read the database; there is no account to check.

import { BerthError, shown } from '../model/errors.ts';
import type { NewEvent } from '../store/event.ts';
import type { Context } from './context.ts';

/** How the operator is named in events and in the ledger who comes by the database; one who comes over the network has a name. */
export const operatorActor = 'operator';

/** An event that tells of an operator's change. @param actor who made it */
export function operatorEvent(
  context: Context,
  kind: string,
  message: string,
  about: { accountId?: string; hostId?: string; data?: Record<string, unknown> } = {},
  actor = operatorActor,
): NewEvent {
  const { accountId = null, hostId = null, data } = about;
  const createdAt = context.clock.now();
  return {
    ...{ accountId, instanceId: null, hostId, kind, message, actor, createdAt },
    ...(data ? { data } : {}),
  };
}

/** The refusal of a name that nothing has. @param noun such as `host` */
export function unknownName(noun: string, name: string): BerthError {
  return new BerthError('not_found', `There is no ${noun} ${shown(name)}.`, name);
}
