// `berth account`: who pays.

import type { Account } from '../../../sdk/generated/types.ts';
import type { Noun } from '../command.ts';
import { accountKind, find } from '../find.ts';
import { listVerb, showVerb } from '../verbs.ts';

/** The `account` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the accounts that you see anything of',
      operation: 'listAccounts',
      examples: ['account list'],
      columns: [
        { title: 'account', cell: ({ name }: Account) => name },
        { title: 'id', cell: ({ id }) => id },
      ],
      none: 'You see no account.',
      pages: ({ berth }, limit) => berth.accounts.list({ limit }),
    }),
    showVerb({
      usage: 'show <ACCOUNT>',
      description: 'show one account',
      operation: 'getAccount',
      examples: ['account show acme'],
      find: (desk, text) => find(desk, accountKind, text),
      sheet: ({ name, id }: Account) => [
        ['account', name],
        ['id', id],
      ],
    }),
  ],
};
