// `berth login` and `berth logout`: making a profile and taking it away. A key or password comes from a prompt, from standard input or
// from the environment, never from the command line, where other users of the machine would see it.

import { Berth } from '../../../sdk/berth.ts';
import { RefusedError } from '../../../sdk/error.ts';
import { askSecret, askText, hasPerson } from '../ask.ts';
import { type BareDesk, type OfflineVerb, option } from '../command.ts';
import { NobodyError, UsageError } from '../exit.ts';
import { defaultProfile, type Profile, profileName, readProfiles, writeProfiles } from '../profile.ts';
import { readText } from '../units.ts';

interface LoginOptions {
  username?: string;
  code?: string;
  credentials?: string;
}

/** How long a session lasts unused: the longest that there is. Whoever wants to stay logged in uses a key. */
const sessionSeconds = 3600;

/** The `login` command. */
export const login: OfflineVerb<LoginOptions> = {
  usage: 'login [URL]',
  description: 'log in to a Berth, and remember that as a profile',
  detail:
    'Asks for an API key, or with --username for a password. On no terminal either is read from the first line of standard input; ' +
    'BERTH_URL and BERTH_API_KEY go before both. A session by password ends after an hour without use. The profile lies in $XDG_CONFIG_HOME/berth/config.json, for its owner alone.',
  operation: null,
  examples: [
    'login https://berth.example.com',
    'login https://berth.example.com --username ann',
    'login --credentials /var/lib/berth/credentials.json',
    'login https://berth.example.com --profile ci < key.txt',
  ],
  options: [
    option('--profile <NAME>', `what to call it; "${defaultProfile}" unless given`),
    option('--username <NAME>', 'log in with a password, in place of a key'),
    option('--code <CODE>', 'of a second factor'),
    option('--credentials <FILE>', 'the file that the first start of a Berth has written'),
  ],
  async offline(desk, [url], options) {
    const all = await readProfiles(desk.env);
    const name = desk.profile ?? defaultProfile;
    const profile = await profileOf(desk, url, options, all.profiles[name]?.url);
    const me = await new Berth(profile).me.get();
    await writeProfiles(desk.env, { current: name, profiles: { ...all.profiles, [name]: profile } });
    const value = { profile: name, url: profile.url, actor: me.actor };
    return { value, text: `You are ${me.actor} at ${profile.url}, as profile ${name}.` };
  },
};

async function profileOf(
  desk: BareDesk,
  given: string | undefined,
  options: LoginOptions,
  before?: string,
): Promise<Profile> {
  const { username, credentials } = options;
  if (credentials !== undefined) return readCredentials(credentials);
  const proposal = before ?? 'http://127.0.0.1:8080';
  const url = given || desk.env.BERTH_URL || (await askText(desk, 'Where is that Berth?', proposal, 'its URL'));
  if (!/^https?:\/\/[^/]/.test(url)) throw new UsageError(`"${url}" is no URL; it begins with https:// or http://.`);
  if (username !== undefined) return openSession(desk, url, username, options.code);
  return { url, apiKey: desk.env.BERTH_API_KEY || (await askSecret(desk, 'API key')) };
}

async function readCredentials(file: string): Promise<Profile> {
  const text = await readText(file, '--credentials');
  try {
    const { url, apiKey } = JSON.parse(text) as Partial<Profile>;
    if (url && apiKey) return { url, apiKey };
  } catch {
    // Told below.
  }
  throw new UsageError(`${file} is not what a first start writes.`);
}

async function openSession(desk: BareDesk, url: string, username: string, given: string | undefined): Promise<Profile> {
  const password = await askSecret(desk, `Password of ${username}`);
  const berth = new Berth({ url });
  const open = async (code: string | undefined) => {
    const body = { username, password, validitySeconds: sessionSeconds, ...(code ? { code } : {}) };
    const { token = '' } = await berth.sessions.create(body);
    return { url, apiKey: token, session: true };
  };
  try {
    return await open(given);
  } catch (error) {
    const isCodeMissing = error instanceof RefusedError && error.code === 'second_factor_needed';
    if (!isCodeMissing || given !== undefined || !hasPerson(desk)) throw error;
    return open(await askText(desk, 'Code of your second factor', '', '--code'));
  }
}

/** The `logout` command. */
export const logout: OfflineVerb = {
  usage: 'logout',
  description: 'forget a profile, and end its session where it has one',
  operation: null,
  examples: ['logout', 'logout --profile work'],
  async offline(desk) {
    const all = await readProfiles(desk.env);
    const name = profileName(desk.env, desk.profile, all);
    const profile = name === null ? undefined : all.profiles[name];
    if (name === null || !profile) throw new NobodyError('Nobody is logged in.');
    const { [name]: _, ...profiles } = all.profiles;
    await writeProfiles(desk.env, { current: all.current === name ? null : all.current, profiles });
    // What is forgotten here is over, whether the server hears of it or not; a session ends by itself.
    const ended = profile.session ? await endSession(profile) : true;
    const rest = ended ? '' : ' Its server did not hear of it: the session ends when its time is up.';
    return { value: { profile: name }, text: `Profile ${name} is forgotten.${rest}` };
  },
};

const endSession = (profile: Profile): Promise<boolean> =>
  new Berth({ ...profile, attempts: 1, timeoutMs: 5_000 }).sessions.deleteCurrent().then(
    () => true,
    () => false,
  );
