// The login of a private registry, for the one host that is to pull the image.

import { BerthError, shown } from '../model/errors.ts';
import { parseInstanceId } from '../model/id.ts';
import { findRegistryAuth } from '../store/container.ts';
import type { RegistryAuth } from './container-request.ts';
import type { Context } from './context.ts';

/**
 * The login that goes with the image of a container which this host is to run; null where none does.
 * @throws BerthError `not_found` for a container that is not the host's
 */
export async function readRegistryAuth(context: Context, hostId: string, id: string): Promise<RegistryAuth | null> {
  const instanceId = parseInstanceId(id);
  const sealed = instanceId === null ? undefined : await findRegistryAuth(context.database, hostId, instanceId);
  if (sealed === undefined) throw new BerthError('not_found', `There is no instance ${shown(id)} on this host.`, id);
  return sealed && (JSON.parse(context.vault.open(sealed)) as RegistryAuth);
}
