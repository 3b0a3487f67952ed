// `berth profile`: which Berths this user is logged in to, and as which the commands ask.

import type { Noun } from '../command.ts';
import { UsageError } from '../exit.ts';
import { profileName, readProfiles, writeProfiles } from '../profile.ts';
import { tableOf } from '../table.ts';

interface Row {
  name: string;
  url: string;
  current: boolean;
}

/** The `profile` commands. */
export const noun: Noun = {
  verbs: [
    {
      usage: 'list',
      description: 'list the profiles that "berth login" has made',
      operation: null,
      examples: ['profile list', 'profile list --json'],
      async offline({ env, profile }) {
        const all = await readProfiles(env);
        const current = profileName(env, profile, all);
        const items = Object.entries(all.profiles).map(([name, { url }]) => ({ name, url, current: name === current }));
        const columns = [
          { title: 'profile', cell: ({ name }: Row) => name },
          { title: 'url', cell: ({ url }: Row) => url, rank: 1 },
          { title: 'used', cell: (one: Row) => (one.current ? 'yes' : '') },
        ];
        const text = 'There is none. "berth login" makes one.\n';
        return { value: { items }, text: (look) => (items.length === 0 ? text : tableOf(columns, items, look)) };
      },
    },
    {
      usage: 'use <NAME>',
      description: 'ask as this one from now on',
      operation: null,
      examples: ['profile use work', 'profile use default'],
      async offline({ env }, [name = '']) {
        const all = await readProfiles(env);
        const { url } = all.profiles[name] ?? {};
        if (url === undefined) {
          const known = Object.keys(all.profiles).join(', ') || 'none';
          throw new UsageError(
            `There is no profile ${name} (there is: ${known}); "berth login --profile ${name}" makes it.`,
          );
        }
        await writeProfiles(env, { ...all, current: name });
        return { value: { profile: name, url }, text: `From now on ${url} is asked, as profile ${name}.` };
      },
    },
  ],
};
