// `berth privilege`: what users may do with accounts, groups and VMs, and who runs the whole.

import type { NewPrivilege, Privilege } from '../../../sdk/generated/types.ts';
import { type Noun, option, several } from '../command.ts';
import { UsageError } from '../exit.ts';
import { accountOf, find, groupKind, vmKind } from '../find.ts';
import { type Cell, type Look, sheetOf } from '../table.ts';
import { wholeNumber } from '../units.ts';
import { deleteVerb, listVerb, showVerb } from '../verbs.ts';

const levels = ['vm_console', 'vm_admin', 'group_admin', 'account_admin', 'cluster_admin', 'cluster_su'] as const;

interface GrantOptions {
  account?: string;
  group?: string;
  vm?: string;
  apiKey?: string;
  secondFactor?: boolean;
  secondFactorAge?: number;
  from?: string[];
}

interface SetOptions extends Pick<GrantOptions, 'secondFactor' | 'from'> {
  secondFactorAge?: number;
  anyAge?: boolean;
}

const ageOption = () =>
  option('--second-factor-age <SECONDS>', 'only so long after the code was shown, in seconds', wholeNumber);

const objectOf = ({ targetName, level }: Privilege) =>
  targetName ?? (level.startsWith('cluster_') ? 'everything' : 'what is gone');
const objectIdOf = ({ instance, group, account }: Privilege) => instance ?? group ?? account;

function termsOf({ secondFactorRequired, secondFactorAgeSecondsMax: age, fromAddresses, apiKey }: Privilege): string {
  const factor = secondFactorRequired && `second factor${age === null ? '' : ` of the last ${age} s`}`;
  const terms = [apiKey, factor, fromAddresses && `from ${fromAddresses.join(' ')}`];
  return terms.filter(Boolean).join('; ');
}

const sheet = (one: Privilege, _look: Look): [string, Cell][] => [
  ['privilege', one.id],
  ['user', one.user.username],
  ['may', one.level],
  ['on', [objectOf(one), objectIdOf(one) && `(${objectIdOf(one)})`].filter(Boolean).join(' ')],
  ['terms', termsOf(one)],
  ['granted by', one.grantedBy],
];

/** The `privilege` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list your privileges, and those in accounts of yours',
      operation: 'listPrivileges',
      examples: ['privilege list', 'privilege list --user ann'],
      options: [
        option('--user <USER>', 'only of this one; "me" is yourself'),
        option('--account <ACCOUNT>', 'only on this account itself'),
      ],
      columns: [
        { title: 'privilege', cell: ({ id }: Privilege) => id },
        { title: 'user', cell: ({ user }) => user.username },
        { title: 'may', cell: ({ level }) => level },
        { title: 'on', cell: objectOf, rank: 1 },
        { title: 'terms', cell: termsOf, rank: 2 },
      ],
      none: 'There is none.',
      pages: ({ berth }, limit, { user, account }: { user?: string; account?: string }) =>
        berth.privileges.list({ user, account, limit }),
    }),
    showVerb({
      usage: 'show <PRIVILEGE>',
      description: 'show one privilege',
      operation: 'getPrivilege',
      examples: ['privilege show prv_17', 'privilege show prv_17 --json'],
      find: ({ berth }, id) => berth.privileges.get(id),
      sheet,
    }),
    {
      usage: 'grant <USER> <LEVEL>',
      description: 'let a user do something',
      detail: `LEVEL is ${levels.slice(0, -1).join(', ')} or ${levels.at(-1)}; each holds for what is below its object, too.`,
      operation: 'createPrivilege',
      examples: [
        'privilege grant ann account_admin --account acme',
        'privilege grant bob vm_console --vm web-1',
        'privilege grant ann cluster_admin --second-factor --from 192.0.2.0/24',
      ],
      options: [
        option('--account <ACCOUNT>', 'of account_admin'),
        option('--group <GROUP>', 'of group_admin'),
        option('--vm <VM>', 'of vm_admin and vm_console'),
        option('--api-key <KEY>', "held by this key of the user's, by id, in place of their sessions"),
        option('--second-factor', 'only in sessions with a second factor'),
        ageOption(),
        option('--from <ADDRESSES>', 'only from these addresses and ranges', several),
      ],
      async run(desk, [user = '', level = ''], { account, group, vm, ...terms }: GrantOptions) {
        const { apiKey, secondFactor, secondFactorAge, from } = terms;
        const value = await desk.berth.privileges.create({
          ...{ user, level: level as NewPrivilege['level'], secondFactorRequired: secondFactor, fromAddresses: from },
          ...{ apiKey, secondFactorAgeSecondsMax: secondFactorAge },
          account: account === undefined ? undefined : (await accountOf(desk, account)).id,
          group: group === undefined ? undefined : (await find(desk, groupKind, group)).id,
          instance: vm === undefined ? undefined : (await find(desk, vmKind, vm)).id,
        });
        return { value, text: (look) => sheetOf(sheet(value, look), look) };
      },
    },
    {
      usage: 'set <PRIVILEGE>',
      description: 'change on which terms a privilege holds; its level and object stay',
      operation: 'updatePrivilege',
      examples: ['privilege set prv_17 --second-factor', 'privilege set prv_17 --no-second-factor --from any'],
      options: [
        option('--second-factor', 'only in sessions with a second factor'),
        option('--no-second-factor', 'in any session'),
        ageOption(),
        option('--any-age', 'however long ago the code was shown'),
        option('--from <ADDRESSES>', 'only from these addresses and ranges; "any" takes that back', several),
      ],
      async run({ berth }, [id = ''], { secondFactor, secondFactorAge, anyAge, from }: SetOptions) {
        const change = {
          secondFactorRequired: secondFactor,
          secondFactorAgeSecondsMax: anyAge ? null : secondFactorAge,
          fromAddresses: from?.length === 1 && from[0] === 'any' ? null : from,
        };
        if (Object.values(change).every((value) => value === undefined))
          throw new UsageError('Nothing is to be changed.');
        const value = await berth.privileges.update(id, change);
        return { value, text: (look) => sheetOf(sheet(value, look), look) };
      },
    },
    deleteVerb({
      usage: 'revoke <PRIVILEGE>',
      description: 'take a privilege away',
      operation: 'deletePrivilege',
      examples: ['privilege revoke prv_17', 'privilege revoke prv_17 --yes'],
      find: ({ berth }, id) => berth.privileges.get(id),
      question: (one) => `Take ${one.level} on ${objectOf(one)} away from ${one.user.username}?`,
      end: ({ berth }, { id }) => berth.privileges.delete(id),
      done: (one) => `User ${one.user.username} holds ${one.level} on ${objectOf(one)} no more.`,
    }),
  ],
};
