// `berth account`: who pays.

import type { Account } from '../../../sdk/generated/types.ts';
import { type Noun, option, type Verb } from '../command.ts';
import { accountKind, find } from '../find.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

/** An operator's way to move money. */
const moneyVerbs: readonly Verb[] = [
  ['credit', 'creditAccount', 'give an account money; what it owes is paid at once', 'was given'] as const,
  ['debit', 'debitAccount', 'take money from an account, of what it has available', 'has paid'] as const,
].map(([verb, operation, description, done]) =>
  actVerb<{ reason: string }>({
    ...{ usage: `${verb} <ACCOUNT> <AMOUNT>`, description: `${description} (for operators)`, operation },
    examples: [
      `account ${verb} acme 25 --reason "invoice 2026-117"`,
      `account ${verb} acme 0.5 --reason "a mistake" --json`,
    ],
    options: [option('--reason <TEXT>', 'why; it stands in the statement').makeOptionMandatory()],
    async act(desk, [text = '', amount = ''], { reason }) {
      const { id, name } = await find(desk, accountKind, text);
      const { money } = desk.berth;
      const body = { amount, reason };
      const value = await (verb === 'credit' ? money.creditAccount(id, body) : money.debitAccount(id, body));
      return { value, done: `Account ${name} ${done} ${amount} USD.` };
    },
  }),
);

/** The `account` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the accounts that you see anything of',
      operation: 'listAccounts',
      examples: ['account list', 'account list --json'],
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
      examples: ['account show acme', 'account show acme --json'],
      find: (desk, text) => find(desk, accountKind, text),
      sheet: ({ name, id }: Account) => [
        ['account', name],
        ['id', id],
      ],
    }),
    actVerb({
      usage: 'create <NAME>',
      description: 'open an account, with nothing in it (for operators)',
      operation: 'createAccount',
      examples: ['account create acme', 'account create acme --quiet'],
      async act({ berth }, [name = '']) {
        const value = await berth.accounts.create({ name });
        return { value, done: `Account ${name} is open; "berth account credit ${name} AMOUNT" puts money into it.` };
      },
    }),
    ...moneyVerbs,
    deleteVerb({
      usage: 'delete <ACCOUNT>',
      description: 'close an account in which nothing ever was (for operators)',
      operation: 'deleteAccount',
      examples: ['account delete acme', 'account delete acme --yes'],
      find: (desk, text) => find(desk, accountKind, text),
      question: ({ name }) => `Close account ${name}?`,
      end: ({ berth }, { id }) => berth.accounts.delete(id),
      done: ({ name }) => `Account ${name} is closed.`,
    }),
  ],
};
