// What a guest is told when it first runs on a newly imaged disk, and nobody else ever: a root password, a script. The server
// is asked for it at the moment of a start; it is on this host in the seed volume alone, and only until QEMU has that open.

import type { ImagingSecrets } from '../../api/agent/contract/secret.ts';
import type { Seed } from '../disk/seed.ts';
import { DriverFailure } from '../driver.ts';
import type { VmSpec } from './driver.ts';
import type { VmRecord } from './home.ts';

/** Gives what only the guest of a newly imaged disk is told; null where that is nothing. */
export type AskSecrets = (instanceId: string) => Promise<ImagingSecrets | null>;

/** Where a guest finds the script of its first boot. */
const scriptPath = '/var/lib/firstboot-script';
/** Who is given a password is to get in with it, also where root is kept to keys otherwise. */
const sshSettings = { path: '/etc/ssh/sshd_config.d/10-root-password.conf', content: 'PermitRootLogin yes\n' };

/**
 * Asks for the secrets of a VM's imaging. A guest that has run since does without them where nobody answers.
 * @param record what the VM was last started with
 * @throws DriverFailure when a guest that has not run yet would miss them
 */
export async function secretsFor(
  { instanceId, image }: VmSpec,
  record: VmRecord | null,
  ask: AskSecrets,
): Promise<ImagingSecrets | null> {
  if (image === null) return null;
  try {
    const secrets = await ask(instanceId);
    return secrets?.imaging === image.imaging ? secrets : null;
  } catch (error) {
    if (record?.imagingTold === image.imaging) return null;
    const message = 'The server did not say with which password and script the VM is to start.';
    throw new DriverFailure('vm.no-secrets', message, false, { cause: error });
  }
}

/**
 * What a VM's guest is told. Its first boot begins anew with each imaging.
 * @param imaging which one the content of its first disk stems from
 */
export function seedOf(spec: VmSpec, secrets: ImagingSecrets | null, imaging = spec.image?.imaging ?? 1): Seed {
  const { instanceId, hostname, sshKeys } = spec;
  const { rootPassword = null, firstBootScript = null } = secrets ?? {};
  return {
    instanceId: imaging > 1 ? `${instanceId}-${imaging}` : instanceId,
    hostname,
    sshKeys,
    ...(rootPassword === null
      ? {}
      : {
          chpasswd: { expire: false, users: [{ name: 'root', password: rootPassword, type: 'text' as const }] },
          passwordLogins: true,
        }),
    writeFiles: [
      ...(rootPassword === null ? [] : [sshSettings]),
      ...(firstBootScript === null ? [] : [scriptFile(firstBootScript)]),
    ],
    ...(firstBootScript === null ? {} : { runcmd: [[scriptPath]] }),
  };
}

/** In base64, since it may be any program: what it begins with says what runs it. */
function scriptFile(script: string) {
  const content = Buffer.from(script).toString('base64');
  return { path: scriptPath, content, permissions: '0700', encoding: 'b64' };
}
