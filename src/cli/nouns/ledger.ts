// What operators see of money: `berth ledger`, every movement with its entries.

import type { LedgerTransaction } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { accountNames, find, hostKind, instanceIdOf, nameColumn } from '../find.ts';
import { moment, relative } from '../table.ts';
import { listVerb, showVerb } from '../verbs.ts';

interface LedgerOptions {
  from?: string;
  to?: string;
  kind?: LedgerTransaction['kind'];
  account?: string;
  host?: string;
  instance?: string;
}

const spanOptions = () => [
  option('--from <TIME>', 'from this day or moment on, such as 2026-11-01'),
  option('--to <TIME>', 'up to before this day or moment'),
];

/** The `ledger` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list what moved in all accounts, the newest first',
      detail: 'A wide terminal, --columns transaction or --quiet shows the ids that "berth ledger show" takes.',
      operation: 'listLedger',
      examples: ['ledger list --limit 20', 'ledger list --host rack-1 --kind charge'],
      options: [
        ...spanOptions(),
        option('--kind <KIND>', 'only of this kind').choices([
          ...['credit', 'debit', 'charge', 'deposit', 'release', 'refund'],
        ]),
        option('--account <ACCOUNT>', 'only of this one'),
        option('--host <HOST>', 'only what it earned or gave back'),
        option('--instance <INSTANCE>', 'only what was paid for this one'),
      ],
      columns: [
        { title: 'when', cell: ({ createdAt }: LedgerTransaction, look) => relative(createdAt, look) },
        { title: 'kind', cell: ({ kind }) => kind },
        { title: 'moved usd', cell: ({ availableMoved }) => availableMoved, right: true },
        nameColumn('account', ({ account }: LedgerTransaction) => account, 1),
        { title: 'reason', cell: ({ reason }) => reason, rank: 2 },
        { title: 'by', cell: ({ actor }) => actor, rank: 3, whole: true },
        { title: 'transaction', cell: ({ id }) => id, rank: 4, whole: true },
      ],
      called: accountNames,
      none: 'Nothing moved.',
      rows: 50,
      pages: async (desk, limit, { host, instance, ...query }: LedgerOptions) =>
        desk.berth.money.listLedger({
          ...{ ...query, limit, instance: await instanceIdOf(desk, instance) },
          host: host === undefined ? undefined : (await find(desk, hostKind, host)).id,
        }),
    }),
    showVerb({
      usage: 'show <TRANSACTION>',
      description: 'show one movement of money with its entries',
      operation: 'getLedgerTransaction',
      examples: [
        'ledger show txn_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'ledger show txn_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json',
      ],
      find: ({ berth }, id) => berth.money.getLedgerTransaction(id),
      sheet: (one: LedgerTransaction, look) => [
        ['transaction', one.id],
        ['account', one.account],
        ['kind', one.kind],
        ['instance', one.instance],
        ['reason', one.reason],
        ['by', one.actor],
        ['at', moment(one.createdAt, look)],
        ...one.entries.map(({ book, amount, host }) => [book, `${amount} USD${host ? ` (${host})` : ''}`] as const),
      ],
    }),
  ],
};
