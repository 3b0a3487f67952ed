// `berth me`: as whom the commands ask, and what that one may do.

import type { Grant } from '../../../sdk/generated/types.ts';
import type { Verb } from '../command.ts';
import { profileName, readProfiles } from '../profile.ts';
import { type Column, sheetOf, tableOf } from '../table.ts';

const grantColumns: readonly Column<Grant>[] = [
  { title: 'may', cell: ({ level }) => level },
  { title: 'on', cell: ({ instance, group, account }) => instance ?? group ?? account ?? 'everything' },
];

/** The `me` command. */
export const verb: Verb = {
  usage: 'me',
  description: 'show as whom you ask, and what you may do',
  operation: 'getMe',
  examples: ['me', 'me --profile work --json'],
  async run({ berth, env, profile }) {
    const value = await berth.me.get();
    const used = env.BERTH_API_KEY ? 'none: BERTH_API_KEY is set' : profileName(env, profile, await readProfiles(env));
    return {
      value,
      text: (look) =>
        sheetOf(
          [
            ['you are', value.actor],
            ['user', value.user?.username],
            ['at', berth.url],
            ['profile', used],
          ],
          look,
        ) + (value.grants.length > 0 ? `\n${tableOf(grantColumns, value.grants, look)}` : ''),
    };
  },
};
