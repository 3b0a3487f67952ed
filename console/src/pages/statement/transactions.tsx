// Every movement of an account's money in a month, the newest first.

import type { Transaction } from '../../../../sdk/generated/types.ts';
import { at, usd } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { List, useList } from '../../ui/list.tsx';
import { InstanceName } from '../../ui/names.tsx';
import { Section } from '../../ui/page.tsx';
import type { Column } from '../../ui/table.tsx';

const columns: Column<Transaction>[] = [
  { title: 'When', cell: ({ createdAt }) => <time dateTime={createdAt}>{at(createdAt)}</time> },
  { title: 'Kind', cell: ({ kind }) => kind },
  { title: 'Instance', cell: ({ instance }) => (instance ? <InstanceName id={instance} /> : null) },
  { title: 'Reason', cell: ({ reason }) => reason },
  { title: 'Balance', numeric: true, cell: ({ availableMoved }) => usd(availableMoved) },
  { title: 'Held', numeric: true, cell: ({ heldMoved }) => usd(heldMoved) },
];

/** The list. */
export function Transactions({ account, span }: { account: string; span: { from: string; to: string } }) {
  const berth = useBerth();
  const list = useList(['transactions', account, span], () =>
    berth.money.listTransactions(account, { ...span, limit: 100 }),
  );
  return (
    <Section title="Transactions">
      <List
        label="Transactions"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        empty={<p className="fine">Nothing has moved in this month.</p>}
      />
    </Section>
  );
}
