// `berth group`: named sets of an account's instances, with a network each.

import type { Group } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { accountNames, accountOf, find, groupKind, nameColumn } from '../find.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

interface AccountOptions {
  account?: string;
}

/** The `group` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the groups that you see anything of',
      operation: 'listGroups',
      examples: ['group list', 'group list --account acme'],
      options: [option('--account <ACCOUNT>', 'only of this account')],
      columns: [
        { title: 'group', cell: ({ name }: Group) => name },
        nameColumn('account', ({ account }: Group) => account, 2),
        { title: 'id', cell: ({ id }) => id, rank: 1, whole: true },
      ],
      called: accountNames,
      none: 'There is no group.',
      pages: ({ berth }, limit, { account }: AccountOptions) => berth.groups.list({ account, limit }),
    }),
    showVerb({
      usage: 'show <GROUP>',
      description: 'show one group',
      operation: 'getGroup',
      examples: ['group show web', 'group show web --json'],
      find: (desk, text) => find(desk, groupKind, text),
      sheet: ({ name, id, account }: Group) => [
        ['group', name],
        ['id', id],
        ['account', account],
      ],
    }),
    actVerb<AccountOptions>({
      usage: 'create <NAME>',
      description: 'make a group',
      operation: 'createGroup',
      examples: ['group create web', 'group create web --account acme'],
      options: [option('--account <ACCOUNT>', 'whose, where you see several')],
      async act(desk, [name = ''], { account }) {
        const { id } = await accountOf(desk, account);
        const value = await desk.berth.groups.create({ name, account: id });
        return { value, done: `Group ${name} is there; "berth vm create --group ${name}" puts a VM into it.` };
      },
    }),
    actVerb({
      usage: 'rename <GROUP> <NAME>',
      description: "give a group another name; its VMs' host names follow",
      operation: 'updateGroup',
      examples: ['group rename web front', 'group rename grp_17 front'],
      async act(desk, [text = '', name = '']) {
        const { id, name: before } = await find(desk, groupKind, text);
        return { value: await desk.berth.groups.update(id, { name }), done: `Group ${before} is ${name} now.` };
      },
    }),
    deleteVerb({
      usage: 'delete <GROUP>',
      description: 'remove a group that nothing is in',
      operation: 'deleteGroup',
      examples: ['group delete web', 'group delete web --yes'],
      find: (desk, text) => find(desk, groupKind, text),
      question: ({ name }) => `Remove group ${name}, and its network?`,
      end: ({ berth }, { id }) => berth.groups.delete(id),
      done: ({ name }) => `Group ${name} is removed.`,
    }),
  ],
};
