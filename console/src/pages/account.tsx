// One account, as an operator sees it: its money, what runs, who may do what.

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import type { Account } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { at, usd } from '../format.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { userColumns } from '../ui/names.tsx';
import { Facts, Page, PageOf, Section } from '../ui/page.tsx';
import { Empty, Failure } from '../ui/state.tsx';
import { Status, When } from '../ui/words.tsx';

/** The page. */
export default function AccountPage() {
  const { account: id = '' } = useParams({ strict: false });
  const berth = useBerth();
  const read = useQuery({ queryKey: ['accounts', id], queryFn: () => berth.accounts.get(id) });
  return (
    <PageOf what="Account" read={read}>
      {(account) => <Shown account={account} />}
    </PageOf>
  );
}

interface OfAccount {
  account: Account;
}

function Shown({ account }: OfAccount) {
  const berth = useBerth();
  const done = useDone();
  const navigate = useNavigate();
  const [dialog, open] = useDialog();
  const close = () =>
    open((closeDialog) => (
      <Confirm
        title={`Close ${account.name}?`}
        act={`Close ${account.name}`}
        onClose={closeDialog}
        onConfirm={async () => {
          await berth.accounts.delete(account.id);
          await navigate({ to: '/console/accounts' });
          await done(`${account.name} is closed`, 'accounts');
        }}
      >
        <p>Only an account in which nothing ever was can be closed. It can’t be undone.</p>
      </Confirm>
    ));
  return (
    <Page
      title={account.name}
      actions={
        <Button variant="danger" onClick={close}>
          Close account
        </Button>
      }
    >
      <Money account={account} />
      <Instances account={account} />
      <Users account={account} />
      <Transactions account={account} />
      {dialog}
    </Page>
  );
}

function Money({ account }: OfAccount) {
  const berth = useBerth();
  const [dialog, open] = useDialog();
  const { data, error, refetch } = useQuery({
    queryKey: ['balance', account.id],
    queryFn: () => berth.money.getBalance(account.id),
  });
  const actions = (
    <>
      <Button onClick={() => open((close) => <Move kind="credit" account={account} onClose={close} />)}>
        Give money
      </Button>
      <Button onClick={() => open((close) => <Move kind="debit" account={account} onClose={close} />)}>
        Take money
      </Button>
    </>
  );
  return (
    <Section title="Money" actions={actions}>
      {error && <Failure error={error} onRetry={refetch} />}
      {data && (
        <Facts
          facts={[
            [
              'Can be spent',
              <span key="available" className="figure">
                {usd(data.available)}
              </span>,
            ],
            ['Held as deposits', usd(data.held)],
            ['Spent each epoch', usd(data.spendPerEpoch)],
            ['Lasts', data.lastsUntil ? at(data.lastsUntil) : 'no end in sight'],
          ]}
        />
      )}
      {dialog}
    </Section>
  );
}

const words = {
  credit: { title: 'Give money to', act: 'Give', note: 'What it owes is paid of it at once.' },
  debit: { title: 'Take money from', act: 'Take', note: 'Of what can be spent, and not more.' },
} as const;

function Move({ kind, account, onClose }: OfAccount & { kind: 'credit' | 'debit'; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ amount: '', reason: '' }, async (values) => {
    if (kind === 'credit') await berth.money.creditAccount(account.id, values);
    else await berth.money.debitAccount(account.id, values);
    const said =
      kind === 'credit'
        ? `${account.name} has ${usd(values.amount)} more`
        : `${account.name} has ${usd(values.amount)} less`;
    await done(said, 'balance', 'transactions', 'statement', 'ledger', 'revenue');
    onClose();
  });
  return (
    <Dialog title={`${words[kind].title} ${account.name}`} onClose={onClose}>
      <Form form={form} act={words[kind].act} onCancel={onClose}>
        <TextField label="US dollars" hint={words[kind].note} inputMode="decimal" {...form.field('amount')} />
        <TextField label="Reason" hint="Stands in the statement" {...form.field('reason')} />
      </Form>
    </Dialog>
  );
}

function Instances({ account }: OfAccount) {
  const berth = useBerth();
  const list = useList(['instances', 'list', { account: account.id, deleted: false }], () =>
    berth.instances.list({ account: account.id }),
  );
  return (
    <Section title="Instances">
      <List
        label={`Instances of ${account.name}`}
        list={list}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Name',
            cell: ({ id, name }) => (
              <Link to="/console/instances/$instance" params={{ instance: id }}>
                {name}
              </Link>
            ),
          },
          { title: 'Kind', cell: ({ kind }) => kind },
          { title: 'Status', cell: ({ status }) => <Status of={status} /> },
          { title: 'Price an epoch', numeric: true, cell: ({ pricePerEpoch }) => usd(pricePerEpoch) },
          { title: 'Spent', numeric: true, cell: ({ spent }) => usd(spent) },
          { title: 'Made', cell: ({ createdAt }) => <When time={createdAt} /> },
        ]}
        empty={
          <Empty title="Nothing runs">
            <p>What this account makes is listed here.</p>
          </Empty>
        }
      />
    </Section>
  );
}

function Users({ account }: OfAccount) {
  const berth = useBerth();
  const list = useList(['users', 'list', account.id], () => berth.users.list({ account: account.id }));
  return (
    <Section title="Users">
      <List
        label={`Users of ${account.name}`}
        list={list}
        keyOf={({ id }) => id}
        columns={userColumns}
        empty={
          <Empty title="Nobody">
            <p>It is used by API keys alone.</p>
          </Empty>
        }
      />
    </Section>
  );
}

function Transactions({ account }: OfAccount) {
  const berth = useBerth();
  const list = useList(['transactions', account.id], () => berth.money.listTransactions(account.id));
  return (
    <Section
      title="Transactions"
      actions={
        <Link to="/console/ledger" search={{ account: account.id } as never}>
          In the ledger
        </Link>
      }
    >
      <List
        label={`Transactions of ${account.name}`}
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'When', cell: ({ createdAt }) => <When time={createdAt} /> },
          { title: 'Kind', cell: ({ kind }) => kind },
          { title: 'Reason', cell: ({ reason }) => <span className="wide">{reason}</span> },
          { title: 'Available', numeric: true, cell: ({ availableMoved }) => usd(availableMoved) },
          { title: 'Held', numeric: true, cell: ({ heldMoved }) => usd(heldMoved) },
          { title: 'By', cell: ({ actor }) => actor },
        ]}
        empty={
          <Empty title="No money has moved">
            <p>Give it some, so that it can deploy.</p>
          </Empty>
        }
      />
    </Section>
  );
}
