// `berth revenue`: what hosts, datacenters, accounts and kinds have brought in, in one sum or over time, for operators.

import type { Revenue, RevenueItem } from '../../../sdk/generated/types.ts';
import { option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { type Column, type Look, plainText, sheetOf, tableOf } from '../table.ts';

interface Options {
  from?: string;
  to?: string;
  by?: Revenue['by'];
  per?: NonNullable<Revenue['per']>;
  top?: number;
  csv?: boolean;
}

function count(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" is no number from 1 to 1000.`);
}

/** The command. */
export const verb: Verb<Options> = {
  usage: 'revenue',
  description: 'show what hosts, datacenters, accounts or kinds have brought in',
  detail:
    'Days, weeks and months are those of UTC, and weeks begin on Mondays. With --per the last 30, 26 or 12 are shown unless --from is given.',
  operation: 'getRevenue',
  examples: ['revenue --from 2026-11-01', 'revenue --by account --per month', 'revenue --per day --csv > revenue.csv'],
  options: [
    option('--from <TIME>', 'from this day or moment on, such as 2026-11-01'),
    option('--to <TIME>', 'up to before this day or moment'),
    option('--by <WHAT>', 'summed up by what; host unless given').choices(['host', 'datacenter', 'account', 'kind']),
    option('--per <UNIT>', 'divided into days, weeks or months').choices(['day', 'week', 'month']),
    option('--top <COUNT>', 'so many stand for themselves; 10 with --per and 1000 else', count),
    option('--csv', 'as a table for spreadsheets'),
  ],
  async run({ berth, json }, _, { csv, ...query }) {
    if (csv && !json) {
      const table = await berth.money.revenueCsv(query);
      return { value: undefined, text: () => table };
    }
    const value = await berth.money.getRevenue(query);
    return { value, text: (look) => (value.per ? overTime(value, look) : inSum(value, look)) };
  },
};

const nameOf = ({ name, id }: RevenueItem): string => name ?? id ?? 'none';

function inSum({ by, items, others, total }: Revenue, look: Look): string {
  const columns = [
    { title: by, cell: nameOf },
    { title: 'usd', cell: (one: RevenueItem) => one.revenue, right: true },
  ];
  const sums = [...(others ? [[`${others.count} others`, `${others.revenue} USD`] as const] : [])];
  return `${tableOf(columns, items, look)}\n${sheetOf([...sums, ['all', `${total} USD`]], look)}`;
}

/** A row for each period; who earned least gives way first where the terminal is narrow. */
function overTime({ per, periods, items, others, total, totalByPeriod }: Revenue, look: Look): string {
  const parts = [
    ...items.map((item) => ({ title: plainText(nameOf(item)), byPeriod: item.byPeriod })),
    ...(others ? [{ title: `${others.count} others`, byPeriod: others.byPeriod }] : []),
  ];
  const columns: Column<number>[] = [
    { title: per ?? '', cell: (index) => periods[index] },
    { title: 'all usd', cell: (index) => totalByPeriod[index], right: true },
    ...parts.map(({ title, byPeriod }, rank) => ({
      ...{ title, right: true, rank: rank + 1 },
      cell: (index: number) => byPeriod[index],
    })),
  ];
  return `${tableOf(columns, [...periods.keys()], look)}\n${sheetOf([['all', `${total} USD`]], look)}`;
}
