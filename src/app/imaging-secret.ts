// What only one imaging of a VM may know: a password, a script. Sealed until the VM's host asks for it, and forgotten once the
// imaging has run; it is in no event, no log and no answer to anybody else.

import { BerthError, shown } from '../model/errors.ts';
import { parseInstanceId } from '../model/id.ts';
import { findImagingSecret } from '../store/imaging-secret.ts';
import type { Context } from './context.ts';

/** Null where a guest is told of none. */
export interface ImagingSecrets {
  rootPassword: string | null;
  firstBootScript: string | null;
}

/** Seals secrets; null where there are none. */
export function sealSecrets({ vault }: Context, secrets: ImagingSecrets): Uint8Array | null {
  const hasNone = secrets.rootPassword === null && secrets.firstBootScript === null;
  return hasNone ? null : vault.seal(JSON.stringify(secrets));
}

/**
 * The secrets that go with the next imaging of a VM which this host is to run; null where none do.
 * @throws BerthError `not_found` for a VM that is not the host's
 */
export async function readImagingSecrets(
  context: Context,
  hostId: string,
  id: string,
): Promise<(ImagingSecrets & { imaging: number }) | null> {
  const instanceId = parseInstanceId(id);
  const found = instanceId === null ? undefined : await findImagingSecret(context.database, hostId, instanceId);
  if (found === undefined) throw new BerthError('not_found', `There is no instance ${shown(id)} on this host.`, id);
  if (found === null) return null;
  return { imaging: found.imaging, ...(JSON.parse(context.vault.open(found.sealed)) as ImagingSecrets) };
}
