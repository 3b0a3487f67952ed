// Where the commands find Berth and who is asking: the environment first, then the profile that was chosen, then the one that
// `berth login` made last. Profiles are a file that only its owner can read.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { NobodyError, UsageError } from './exit.ts';

/** Where one Berth is, and with what to ask. */
export interface Profile {
  url: string;
  /** An API key, or a session's token. Never shown. */
  apiKey: string;
  /** Whether the key is a session's, which logging out ends. */
  session?: boolean;
}

/** Whom to ask, and with which key from where. */
export interface Connection extends Pick<Profile, 'url' | 'apiKey'> {
  key: 'environment' | 'profile' | 'session';
}

/** All profiles, and the one that is used unless another is named. */
export interface Profiles {
  current: string | null;
  profiles: Record<string, Profile>;
}

/** The environment of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The profile that `berth login` makes unless a name is given. */
export const defaultProfile = 'default';

/** The directory of the commands' own files. */
export function configDirectory(env: Environment): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'berth');
}

const fileOf = (env: Environment) => join(configDirectory(env), 'config.json');

/** The profiles that there are; none where there is no file. @throws Error where the file can't be read as one */
export async function readProfiles(env: Environment): Promise<Profiles> {
  const file = fileOf(env);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return { current: null, profiles: {} };
  try {
    const { current, profiles } = JSON.parse(text) as Partial<Profiles>;
    if (typeof profiles === 'object') return { current: current ?? null, profiles };
  } catch {
    // Told below.
  }
  throw new Error(`${file} is not what "berth login" writes; mend or remove it, and log in again.`);
}

/** Writes the profiles, as a whole or not at all, for nobody else to read. */
export async function writeProfiles(env: Environment, profiles: Profiles): Promise<void> {
  const file = fileOf(env);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.${process.pid}`;
  await writeFile(next, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 });
  await rename(next, file);
}

/** The profile that is meant: the named one, `BERTH_PROFILE`, or the current one; null where there is none. */
export const profileName = (env: Environment, named: string | undefined, { current }: Profiles): string | null =>
  named ?? (env.BERTH_PROFILE || current);

/**
 * Whom to ask, and as whom. `BERTH_URL` and `BERTH_API_KEY` win over every profile, each for itself; but a profile's key is sent to
 * no other URL than its own.
 * @param named the profile that the command line names
 * @throws UsageError for a profile that is not there; NobodyError where nothing says it
 */
export async function connectionOf(env: Environment, named: string | undefined): Promise<Connection> {
  const { BERTH_URL: url, BERTH_API_KEY: apiKey } = env;
  if (named === undefined && url && apiKey) return { url, apiKey, key: 'environment' };
  const all = await readProfiles(env);
  const name = profileName(env, named, all);
  const profile = name === null ? undefined : all.profiles[name];
  if (name !== null && !profile && (named !== undefined || env.BERTH_PROFILE)) {
    const known = Object.keys(all.profiles).join(', ') || 'none';
    throw new UsageError(`There is no profile ${name} (there is: ${known}); "berth login --profile ${name}" makes it.`);
  }
  const isElsewhere = url !== undefined && url !== '' && url !== profile?.url;
  const connection = { url: url || profile?.url, apiKey: apiKey || (isElsewhere ? undefined : profile?.apiKey) };
  const key = apiKey ? 'environment' : profile?.session ? 'session' : 'profile';
  if (connection.url && connection.apiKey) return { url: connection.url, apiKey: connection.apiKey, key };
  const missing = [connection.url ? '' : 'BERTH_URL', connection.apiKey ? '' : 'BERTH_API_KEY'].filter(Boolean);
  throw new NobodyError(`Nobody is logged in. "berth login" asks for what is needed, or set ${missing.join(' and ')}.`);
}
