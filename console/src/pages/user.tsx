// One user, and what they may do.

import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { User } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { at } from '../format.ts';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, useDialog } from '../ui/dialog.tsx';
import { Facts, Page, PageOf, Section } from '../ui/page.tsx';
import { Privileges } from './user/privileges.tsx';

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
  const { berth, isOperator, me, actAs } = useSession();
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
          await berth.users.removeSecondFactor(user.id, {});
          await done('The second factor is gone', 'users');
        }}
      >
        <p>{user.username} can then sign in with the password alone. Be sure that it is they who ask for it.</p>
      </Confirm>
    ));
  const act = () =>
    open((close) => (
      <Confirm
        title={`Act as ${user.username}?`}
        act={`Act as ${user.username}`}
        variant="primary"
        onClose={close}
        onConfirm={async () => {
          const { token } = await berth.sessions.createImpersonation({ user: user.id });
          await navigate({ to: '/' });
          await actAs(token);
        }}
      >
        <p>
          In this tab you see what {user.username} sees and do what they may, until you stop. The events say that you
          act as them.
        </p>
      </Confirm>
    ));
  const whyNotAct = me.user ? null : 'Sign in as a user with a password: a key can’t act as somebody.';
  const actions = isOperator && (
    <>
      {me.user?.id !== user.id && (
        <Button reason={whyNotAct} onClick={act}>
          Act as {user.username}
        </Button>
      )}
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
