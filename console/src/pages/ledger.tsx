// What moved, in all accounts: every transaction with its entries, which sum to zero.

import type { LedgerTransaction } from '../../../sdk/generated/types.ts';
import { given, useFilters } from '../filters.ts';
import { usd } from '../format.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, useDialog } from '../ui/dialog.tsx';
import { SelectField, TextField } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { AccountName, HostName, InstanceName } from '../ui/names.tsx';
import { Facts, Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Table } from '../ui/table.tsx';
import { When } from '../ui/words.tsx';

const filterNames = ['kind', 'from', 'to', 'account', 'instance', 'host'] as const;
const kinds = ['credit', 'debit', 'charge', 'deposit', 'release', 'refund'] as const;

/** The page. */
export default function LedgerPage() {
  const { berth, accounts } = useSession();
  const [dialog, open] = useDialog();
  const [filters, narrow] = useFilters(filterNames);
  const kind = kinds.find((one) => one === filters.kind);
  const list = useList(['ledger', 'list', filters], () => berth.money.listLedger({ ...given(filters), kind }));
  return (
    <Page title="Ledger">
      <div className="filters">
        <SelectField
          label="Kind"
          value={filters.kind}
          choices={[{ value: '', label: 'All' }, ...kinds.map((one) => ({ value: one, label: one }))]}
          onChange={(value) => narrow({ kind: value })}
        />
        <SelectField
          label="Account"
          value={filters.account}
          choices={[{ value: '', label: 'All' }, ...accounts.map(({ id, name }) => ({ value: id, label: name }))]}
          onChange={(value) => narrow({ account: value })}
        />
        <TextField label="From" type="date" value={filters.from} onChange={(from) => narrow({ from })} />
        <TextField label="Up to before" type="date" value={filters.to} onChange={(to) => narrow({ to })} />
        <TextField
          label="Instance"
          placeholder="ins_…"
          value={filters.instance}
          onChange={(value) => narrow({ instance: value.trim() })}
        />
        <TextField
          label="Host"
          placeholder="hst_…"
          value={filters.host}
          onChange={(value) => narrow({ host: value.trim() })}
        />
      </div>
      <List
        label="Ledger"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'When', cell: ({ createdAt }) => <When time={createdAt} /> },
          { title: 'Account', cell: ({ account }) => <AccountName id={account} /> },
          { title: 'Kind', cell: (transaction) => transaction.kind },
          { title: 'Reason', cell: ({ reason }) => <span className="wide">{reason}</span> },
          { title: 'Available', numeric: true, cell: ({ availableMoved }) => usd(availableMoved) },
          { title: 'Held', numeric: true, cell: ({ heldMoved }) => usd(heldMoved) },
          { title: 'By', cell: ({ actor }) => actor },
          {
            title: 'Actions',
            cell: (transaction) => (
              <Button
                aria-label={`Entries of ${transaction.reason}`}
                onClick={() => open((close) => <Entries of={transaction} onClose={close} />)}
              >
                Entries
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="Nothing moved">
            <p>Credits, charges, deposits and refunds are listed here as they happen.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function Entries({ of, onClose }: { of: LedgerTransaction; onClose(): void }) {
  return (
    <Dialog title={`${of.kind}: ${of.reason}`} onClose={onClose}>
      <Facts
        facts={[
          ['Id', <code key="id">{of.id}</code>],
          ['By', of.actor],
          ['For', of.instance && <InstanceName id={of.instance} />],
          ['When', <When key="when" time={of.createdAt} />],
        ]}
      />
      <h3>Entries</h3>
      <Table
        label="Entries"
        rows={of.entries}
        keyOf={({ book, account, host }) => `${book}-${account}-${host}`}
        columns={[
          { title: 'Book', cell: ({ book }) => book },
          {
            title: 'Whose',
            cell: ({ account, host }) =>
              account ? <AccountName id={account} /> : host ? <HostName id={host} /> : 'the world outside',
          },
          { title: 'Amount', numeric: true, cell: ({ amount }) => usd(amount) },
        ]}
      />
      <div className="buttons">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
