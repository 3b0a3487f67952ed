// `berth privilege`: what users may do with accounts, groups and VMs, and who runs the whole.

import type { NewPrivilege, Privilege } from '../../../sdk/generated/types.ts';
import { type Noun, option, several } from '../command.ts';
import { accountOf, find, groupKind, vmKind } from '../find.ts';
import { type Cell, type Look, sheetOf } from '../table.ts';
import { deleteVerb, listVerb, showVerb } from '../verbs.ts';

const levels = ['vm_console', 'vm_admin', 'group_admin', 'account_admin', 'cluster_admin', 'cluster_su'] as const;

interface GrantOptions {
  account?: string;
  group?: string;
  vm?: string;
  secondFactor?: boolean;
  from?: string[];
}

const objectOf = ({ instance, group, account }: Privilege) => instance ?? group ?? account ?? 'everything';

function termsOf({ secondFactorRequired, fromAddresses, apiKey }: Privilege): string {
  const terms = [apiKey, secondFactorRequired && 'second factor', fromAddresses && `from ${fromAddresses.join(' ')}`];
  return terms.filter(Boolean).join('; ');
}

const sheet = (one: Privilege, _look: Look): [string, Cell][] => [
  ['privilege', one.id],
  ['user', one.user.username],
  ['may', one.level],
  ['on', objectOf(one)],
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
      examples: ['privilege show prv_17'],
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
        option('--second-factor', 'only in sessions with a second factor'),
        option('--from <ADDRESSES>', 'only from these addresses and ranges', several),
      ],
      async run(desk, [user = '', level = ''], { account, group, vm, secondFactor, from }: GrantOptions) {
        const value = await desk.berth.privileges.create({
          ...{ user, level: level as NewPrivilege['level'], secondFactorRequired: secondFactor, fromAddresses: from },
          account: account === undefined ? undefined : (await accountOf(desk, account)).id,
          group: group === undefined ? undefined : (await find(desk, groupKind, group)).id,
          instance: vm === undefined ? undefined : (await find(desk, vmKind, vm)).id,
        });
        return { value, text: (look) => sheetOf(sheet(value, look), look) };
      },
    },
    deleteVerb({
      usage: 'revoke <PRIVILEGE>',
      description: 'take a privilege away',
      operation: 'deletePrivilege',
      examples: ['privilege revoke prv_17 --yes'],
      find: ({ berth }, id) => berth.privileges.get(id),
      question: (one) => `Take ${one.level} on ${objectOf(one)} away from ${one.user.username}?`,
      end: ({ berth }, { id }) => berth.privileges.delete(id),
      done: (one) => `User ${one.user.username} holds ${one.level} on ${objectOf(one)} no more.`,
    }),
  ],
};
