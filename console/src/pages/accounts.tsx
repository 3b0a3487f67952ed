// Accounts: who pays, and owns what runs.

import { Link } from '@tanstack/react-router';
import { useDone } from '../done.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Copyable } from '../ui/words.tsx';

/** The page. */
export default function AccountsPage() {
  const berth = useBerth();
  const [dialog, open] = useDialog();
  const list = useList(['accounts', 'list'], () => berth.accounts.list());
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddAccount onClose={close} />)}>
      Open account
    </Button>
  );
  return (
    <Page title="Accounts" actions={add}>
      <List
        label="Accounts"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Name',
            cell: ({ id, name }) => (
              <Link to="/console/accounts/$account" params={{ account: id }}>
                {name}
              </Link>
            ),
          },
          { title: 'Id', cell: ({ id, name }) => <Copyable text={id} label={`id of ${name}`} /> },
        ]}
        empty={
          <Empty title="No accounts" action={add}>
            <p>Each customer has an account, which its instances and its money belong to.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function AddAccount({ onClose }: { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ name: '' }, async ({ name }) => {
    await berth.accounts.create({ name });
    await done(`${name} is open`, 'accounts');
    onClose();
  });
  return (
    <Dialog title="Open an account" onClose={onClose}>
      <Form form={form} act="Open" onCancel={onClose}>
        <TextField
          label="Name"
          hint="Letters, digits and -. It becomes a part of its VMs’ host names, and stays."
          spellCheck={false}
          {...form.field('name')}
        />
      </Form>
    </Dialog>
  );
}
