// What an account has, spends and has spent: `berth balance`, `berth statement` and `berth transaction`.

import type { Balance, SpendOfDay, StatementLine, Transaction } from '../../../sdk/generated/types.ts';
import { type Noun, option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { accountOf, instanceIdOf } from '../find.ts';
import { type Column, moment, relative, sheetOf, tableOf } from '../table.ts';
import { writeNewFile } from '../units.ts';
import { listVerb } from '../verbs.ts';

interface SpanOptions {
  account?: string;
  from?: string;
  to?: string;
}

const accountOption = () => option('--account <ACCOUNT>', 'whose, where you see several');
const spanOptions = () => [
  option('--from <TIME>', 'from this day or moment on, such as 2026-11-01'),
  option('--to <TIME>', 'up to before this day or moment'),
];

/** The `balance` command. */
export const balance: Verb<{ account?: string }> = {
  usage: 'balance',
  description: 'show what an account has, what it spends, and how long that lasts',
  operation: 'getBalance',
  examples: ['balance', 'balance --account acme --json'],
  options: [accountOption()],
  async run(desk, _, { account }) {
    const { id, name } = await accountOf(desk, account);
    const value: Balance = await desk.berth.money.getBalance(id);
    return {
      value,
      text: (look) =>
        sheetOf(
          [
            ['account', name],
            ['available', `${value.available} USD`],
            ['held as deposits', `${value.held} USD`],
            ['an epoch costs', `${value.spendPerEpoch} USD`],
            ['lasts until', moment(value.lastsUntil, look) || 'no end in sight'],
          ],
          look,
        ),
    };
  },
};

const lineColumns: readonly Column<StatementLine>[] = [
  { title: 'instance', cell: ({ instanceName, instance }) => instanceName ?? instance, rank: 1 },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'times', cell: ({ count }) => count, right: true, rank: 2 },
  { title: 'moved usd', cell: ({ availableMoved }) => availableMoved, right: true },
  { title: 'held usd', cell: ({ heldMoved }) => heldMoved, right: true, rank: 3 },
];

/** The `statement` command. */
export const statement: Verb<SpanOptions & { csv?: boolean; output?: string }> = {
  usage: 'statement',
  description: 'show what moved in an account, summed up by instance and kind',
  operation: 'getStatement',
  detail: 'With --csv every transaction is a line with the balance after it, for a spreadsheet.',
  examples: ['statement --from 2026-11-01 --to 2026-12-01', 'statement --csv --from 2026-11-01 --output november.csv'],
  options: [
    ...spanOptions(),
    accountOption(),
    option('--csv', 'as CSV'),
    option('-o, --output <FILE>', 'write the CSV to this file, which is not there yet'),
  ],
  async run(desk, _, { account, from, to, csv, output }) {
    if (csv && desk.json) throw new UsageError('--csv and --json exclude each other.');
    if (output !== undefined && !csv) throw new UsageError('--output is for --csv; elsewhere ">" does it.');
    const { id } = await accountOf(desk, account);
    if (csv) {
      const lines = await desk.berth.money.statementCsv(id, { from, to }, { signal: desk.signal });
      if (output === undefined) return { value: undefined, text: () => lines };
      await writeNewFile(output, lines, '--output');
      return { value: undefined, text: `${output} has ${lines.trimEnd().split('\n').length - 1} transactions.` };
    }
    const value = await desk.berth.money.getStatement(id, { from, to });
    const { opening, closing, lines } = value;
    return {
      value,
      text: (look) =>
        [
          `At first ${opening.available} USD, and ${opening.held} USD held.\n`,
          ...(lines.length > 0 ? [tableOf(lineColumns, lines, look)] : ['Nothing moved.\n']),
          `At last ${closing.available} USD, and ${closing.held} USD held.\n`,
        ].join(''),
    };
  },
};

const dayColumns: readonly Column<SpendOfDay>[] = [
  { title: 'day', cell: ({ day }) => day },
  { title: 'usd', cell: ({ spent }) => spent, right: true },
];

/** The `spend` command. */
export const spend: Verb<SpanOptions> = {
  usage: 'spend',
  description: 'show what an account was charged, day by day',
  operation: 'getSpend',
  examples: ['spend --from 2026-11-01', 'spend --from 2026-11-01 --to 2026-12-01 --json'],
  options: [...spanOptions(), accountOption()],
  async run(desk, _, { account, from, to }) {
    const { id } = await accountOf(desk, account);
    const value = await desk.berth.money.getSpend(id, { from, to });
    const { days, total } = value;
    return {
      value,
      text: (look) =>
        (days.length > 0 ? `${tableOf(dayColumns, days, look)}\n` : '') + sheetOf([['all', `${total} USD`]], look),
    };
  },
};

/** The `transaction` commands. */
export const transactions: Noun = {
  verbs: [
    listVerb({
      description: 'list what moved in an account, the newest first',
      operation: 'listTransactions',
      examples: ['transaction list', 'transaction list --kind charge --instance web-1 --limit 10'],
      options: [
        ...spanOptions(),
        option('--kind <KIND>', 'only of this kind').choices([
          ...['credit', 'debit', 'charge', 'deposit', 'release', 'refund'],
        ]),
        option('--instance <INSTANCE>', 'only what was paid for this one'),
        accountOption(),
      ],
      columns: [
        { title: 'when', cell: ({ createdAt }: Transaction, look) => relative(createdAt, look) },
        { title: 'kind', cell: ({ kind }) => kind },
        { title: 'moved usd', cell: ({ availableMoved }) => availableMoved, right: true },
        { title: 'held usd', cell: ({ heldMoved }) => heldMoved, right: true, rank: 3 },
        { title: 'reason', cell: ({ reason }) => reason, rank: 1 },
        { title: 'by', cell: ({ actor }) => actor, rank: 2 },
      ],
      none: 'Nothing moved.',
      rows: 50,
      pages: async (
        desk,
        limit,
        { account, from, to, kind, instance }: SpanOptions & { kind?: Transaction['kind']; instance?: string },
      ) => {
        const { id } = await accountOf(desk, account);
        const query = { from, to, kind, limit, instance: await instanceIdOf(desk, instance) };
        return desk.berth.money.listTransactions(id, query);
      },
    }),
  ],
};
