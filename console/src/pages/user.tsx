// One user, and what they may do.

import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { Privilege, User } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { at } from '../format.ts';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, useDialog } from '../ui/dialog.tsx';
import { CheckField, Form, TextField, useForm } from '../ui/form.tsx';
import { GrantFields, GrantWords, grantOf, noGrant } from '../ui/grant.tsx';
import { List, useList } from '../ui/list.tsx';
import { Facts, Page, PageOf, Section } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';

/** The page. */
export default function UserPage() {
  const { user: id = '' } = useParams({ strict: false });
  const berth = useBerth();
  const read = useQuery({ queryKey: ['users', id], queryFn: () => berth.users.get(id) });
  return (
    <PageOf what="User" read={read}>
      {(user) => <Shown user={user} />}
    </PageOf>
  );
}

function Shown({ user }: { user: User }) {
  const { berth, isOperator } = useSession();
  const done = useDone();
  const navigate = useNavigate();
  const [dialog, open] = useDialog();
  const remove = () =>
    open((close) => (
      <Confirm
        title={`Remove ${user.username}?`}
        act={`Remove ${user.username}`}
        onClose={close}
        onConfirm={async () => {
          await berth.users.delete(user.id);
          await navigate({ to: '/console/users' });
          await done(`${user.username} is removed`, 'users');
        }}
      >
        <p>
          Their sessions end, and their keys and privileges are gone. It can’t be undone. What they have made stays.
        </p>
      </Confirm>
    ));
  const removeFactor = () =>
    open((close) => (
      <Confirm
        title="Take the second factor away?"
        act="Take it away"
        onClose={close}
        onConfirm={async () => {
          await berth.users.deleteSecondFactor(user.id);
          await done('The second factor is gone', 'users');
        }}
      >
        <p>{user.username} can then sign in with the password alone. Be sure that it is they who ask for it.</p>
      </Confirm>
    ));
  const actions = isOperator && (
    <>
      {user.secondFactor && <Button onClick={removeFactor}>Take second factor away</Button>}
      <Button variant="danger" onClick={remove}>
        Remove user
      </Button>
    </>
  );
  return (
    <Page title={user.username} actions={actions}>
      <Section title="About">
        <Facts
          facts={[
            ['E-mail', user.email],
            ['Second factor', user.secondFactor ? 'set up' : 'none'],
            ['SSH keys for consoles', String(user.authorizedKeys.length)],
            ['Added', at(user.createdAt)],
          ]}
        />
      </Section>
      <Privileges user={user} />
      {dialog}
    </Page>
  );
}

function Privileges({ user }: { user: User }) {
  const berth = useBerth();
  const done = useDone();
  const [dialog, open] = useDialog();
  const list = useList(['privileges', 'list', user.id], () => berth.privileges.list({ user: user.id }));
  const revoke = (privilege: Privilege) =>
    open((close) => (
      <Confirm
        title="Take this privilege away?"
        act="Take it away"
        onClose={close}
        onConfirm={async () => {
          await berth.privileges.delete(privilege.id);
          await done('The privilege is taken away', 'privileges', 'users');
        }}
      >
        <p>
          {user.username} no longer {<GrantWords of={privilege} />}, at once.
        </p>
      </Confirm>
    ));
  const add = <Button onClick={() => open((close) => <Grant user={user} onClose={close} />)}>Grant a privilege</Button>;
  return (
    <Section title="Privileges" actions={add}>
      <List
        label={`Privileges of ${user.username}`}
        list={list}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'What',
            cell: (privilege) => (
              <span>
                <GrantWords of={privilege} />
              </span>
            ),
          },
          { title: 'Terms', cell: (privilege) => termsOf(privilege) },
          { title: 'Granted by', cell: ({ grantedBy }) => grantedBy ?? 'an operator' },
          {
            title: 'Actions',
            cell: (privilege) => (
              <Button aria-label={`Take away ${privilege.level}`} onClick={() => revoke(privilege)}>
                Take away
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No privilege that you can see">
            <p>Without one, a user can sign in and see nothing.</p>
          </Empty>
        }
      />
      {dialog}
    </Section>
  );
}

function termsOf({ secondFactorRequired, fromAddresses, apiKey }: Privilege): string {
  const terms = [
    ...(secondFactorRequired ? ['with a second factor'] : []),
    ...(fromAddresses ? [`from ${fromAddresses.join(', ')}`] : []),
    ...(apiKey ? ['by an API key'] : []),
  ];
  return terms.join(', ') || '–';
}

function Grant({ user, onClose }: { user: User; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const initial = { ...noGrant, secondFactorRequired: false, fromAddresses: '' };
  const form = useForm(initial, async ({ secondFactorRequired, fromAddresses, ...values }) => {
    const grant = grantOf(values);
    if (!grant) throw new Error('Choose what is granted.');
    const from = fromAddresses.split(/[\s,]+/).filter(Boolean);
    await berth.privileges.create({
      ...{ user: user.id, ...grant, secondFactorRequired },
      ...(from.length > 0 ? { fromAddresses: from } : {}),
    });
    await done(`Granted to ${user.username}`, 'privileges', 'users');
    onClose();
  });
  return (
    <Dialog title={`Grant ${user.username} a privilege`} onClose={onClose}>
      <Form form={form} act="Grant" onCancel={onClose}>
        <GrantFields form={form} />
        <CheckField
          label="Only with a second factor"
          checked={form.values.secondFactorRequired}
          onChange={(checked) => form.set('secondFactorRequired', checked)}
        />
        <TextField
          label="Only from these addresses"
          hint="Such as 192.0.2.7 or 198.51.100.0/24; from anywhere unless given"
          {...form.field('fromAddresses')}
        />
      </Form>
    </Dialog>
  );
}
