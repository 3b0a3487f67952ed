// `berth vm ssh`: the machine's own ssh, told where the instance is. A host key is remembered by the instance's id, so that an address
// that another instance has had before is no alarm.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configDirectory, type Environment } from './profile.ts';

/** Where to log in. */
export interface SshTarget {
  user: string;
  host: string;
  port: number;
  /** What its host key is remembered by. */
  id: string;
}

const knownHostsFile = (env: Environment) => join(configDirectory(env), 'known_hosts');

/** The arguments of ssh. @param rest what the caller adds: a command, say */
export function sshArguments(
  env: Environment,
  target: SshTarget,
  options: readonly string[],
  rest: readonly string[],
): string[] {
  const { user, host, port, id } = target;
  const settings = [
    `HostKeyAlias=${id}`,
    `UserKnownHostsFile=${knownHostsFile(env)}`,
    'StrictHostKeyChecking=accept-new',
  ];
  // Whom to log in as is what somebody else has said of an image: it is never to be read as an option.
  return [...settings.flatMap((one) => ['-o', one]), '-p', String(port), ...options, '-l', user, '--', host, ...rest];
}

/** Runs ssh in the place of this command. @returns its exit code; what a signal ended is 128 and the signal's number, about */
export async function runSsh(
  env: Environment,
  target: SshTarget,
  options: readonly string[],
  rest: readonly string[],
): Promise<number> {
  await mkdir(configDirectory(env), { recursive: true, mode: 0o700 });
  const program = env.BERTH_SSH || 'ssh';
  const child = spawn(program, sshArguments(env, target, options, rest), { stdio: 'inherit', env: { ...env } });
  // Ctrl-C is for what runs there.
  const ignore = () => {};
  process.on('SIGINT', ignore);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 255;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(`${program} is not there; install OpenSSH's client.`);
    throw error;
  } finally {
    process.off('SIGINT', ignore);
  }
}

/** Forgets the host key of an instance that was made anew. */
export async function forgetHostKey(env: Environment, id: string): Promise<void> {
  const file = knownHostsFile(env);
  const text = await readFile(file, 'utf8').catch(() => '');
  if (!text.includes(id)) return;
  const lines = text.split('\n').filter((line) => !line.startsWith(`${id} `));
  await writeFile(file, lines.join('\n'), { mode: 0o600 });
}
