// Users: the people of an account. Each does what was granted to them.

import { useDone } from '../done.ts';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, ShownOnce, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { GrantFields, grantOf, noGrant } from '../ui/grant.tsx';
import { List, useList } from '../ui/list.tsx';
import { userColumns } from '../ui/names.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Badge, When } from '../ui/words.tsx';

/** The page. */
export default function UsersPage() {
  const { berth, account } = useSession();
  const [dialog, open] = useDialog();
  const list = useList(['users', 'list', account?.id], () => berth.users.list({ account: account?.id }));
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddUser onClose={close} />)}>
      Add user
    </Button>
  );
  return (
    <Page title="Users" actions={add}>
      <List
        label="Users"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          ...userColumns,
          {
            title: 'Second factor',
            cell: ({ secondFactor }) => (
              <Badge tone={secondFactor ? 'good' : 'quiet'}>{secondFactor ? 'set up' : 'none'}</Badge>
            ),
          },
          { title: 'Added', cell: ({ createdAt }) => <When time={createdAt} /> },
        ]}
        empty={
          <Empty title="Nobody here yet" action={add}>
            <p>Add a person and grant what they may do: run a group, one VM, or only use its console.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function AddUser({ onClose }: { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const [secret, open] = useDialog();
  const form = useForm({ username: '', email: '', ...noGrant }, async ({ username, email, ...grant }) => {
    const given = grantOf(grant);
    const made = await berth.users.create({
      username,
      ...(email ? { email } : {}),
      ...(given ? { privileges: [given] } : {}),
    });
    await done(`${username} is added`, 'users', 'privileges');
    const secrets = [['Username', made.username] as const, ['Password', made.password ?? ''] as const];
    open(() => (
      <ShownOnce title={`${made.username} can sign in`} secrets={secrets} onClose={onClose}>
        <p>Hand it over in a way that nobody else reads. They change it on their own page.</p>
      </ShownOnce>
    ));
  });
  return (
    secret ?? (
      <Dialog title="Add a user" onClose={onClose}>
        <Form form={form} act="Add" onCancel={onClose}>
          <TextField
            label="Username"
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            {...form.field('username')}
          />
          <TextField label="E-mail" type="email" autoComplete="off" {...form.field('email')} />
          <GrantFields form={form} none="Nothing yet" />
        </Form>
      </Dialog>
    )
  );
}
