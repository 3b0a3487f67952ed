// Who is signed in: what others are told of them, how they sign in, and where they are signed in.

import { useQuery } from '@tanstack/react-query';
import type { User } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { useBerth, useSession } from '../../session.tsx';
import { Form, TextAreaField, TextField, useForm } from '../../ui/form.tsx';
import { GrantWords } from '../../ui/grant.tsx';
import { Page, PageOf, Section } from '../../ui/page.tsx';
import { SecondFactor } from './second-factor.tsx';
import { Sessions } from './sessions.tsx';

/** The page. */
export default function MePage() {
  const { berth, me } = useSession();
  const read = useQuery({
    queryKey: ['users', 'me'],
    queryFn: () => berth.users.get('me'),
    enabled: me.user !== null,
  });
  if (!me.user) {
    return (
      <Page title="You">
        <p className="note">
          You are signed in with a key: events call you <code>{me.actor}</code>. Users have a password and sessions; a
          key has neither.
        </p>
        <Grants />
      </Page>
    );
  }
  return (
    <PageOf what="You" read={read}>
      {(user) => (
        <Page title={user.username}>
          <div className="cards">
            <Profile user={user} />
            <Password />
            <SecondFactor user={user} />
            <Grants />
          </div>
          <Sessions />
        </Page>
      )}
    </PageOf>
  );
}

function Profile({ user }: { user: User }) {
  const berth = useBerth();
  const done = useDone();
  const initial = { email: user.email ?? '', authorizedKeys: user.authorizedKeys.join('\n') };
  const form = useForm(initial, async ({ email, authorizedKeys }) => {
    const keys = authorizedKeys.split('\n').flatMap((line) => line.trim() || []);
    await berth.users.update('me', { email: email || null, authorizedKeys: keys });
    await done('Saved', 'users');
  });
  return (
    <Section title="Profile">
      <Form form={form} act="Save">
        <TextField label="E-mail" type="email" autoComplete="email" {...form.field('email')} />
        <TextAreaField
          label="SSH keys for consoles"
          hint="Public keys, a line each: they let you in at the SSH consoles of VMs"
          spellCheck={false}
          {...form.field('authorizedKeys')}
        />
      </Form>
    </Section>
  );
}

function Password() {
  const { berth, me } = useSession();
  const done = useDone();
  const form = useForm({ currentPassword: '', password: '' }, async (values) => {
    await berth.users.update('me', values);
    form.reset();
    await done('The password is changed; your other sessions have ended', 'sessions');
  });
  return (
    <Section title="Password">
      <Form form={form} act="Change password">
        {/* So that password managers know whose it is. */}
        <input type="hidden" autoComplete="username" value={me.user?.username} readOnly />
        <TextField
          label="Your password"
          type="password"
          autoComplete="current-password"
          {...form.field('currentPassword')}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          hint="At least 15 characters; a few words will do. Your other sessions end."
          {...form.field('password')}
        />
      </Form>
    </Section>
  );
}

function Grants() {
  const { me } = useSession();
  return (
    <Section title="What you may do">
      {me.grants.length === 0 ? (
        <p>Nothing yet. Somebody who runs an account can grant you a privilege in it.</p>
      ) : (
        <ul>
          {me.grants.map((grant) => (
            <li key={JSON.stringify(grant)}>
              <GrantWords of={grant} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
