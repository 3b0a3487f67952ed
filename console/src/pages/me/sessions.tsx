// Where the user is signed in.

import type { Session } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm, useDialog } from '../../ui/dialog.tsx';
import { List, useList } from '../../ui/list.tsx';
import { Section } from '../../ui/page.tsx';
import { Empty } from '../../ui/state.tsx';
import { Badge, When } from '../../ui/words.tsx';

/** The user's sessions, and how each is ended. */
export function Sessions() {
  const berth = useBerth();
  const done = useDone();
  const [dialog, open] = useDialog();
  const list = useList(['sessions', 'list'], () => berth.sessions.list());
  const end = (session: Session) =>
    open((close) => (
      <Confirm
        title="End this session?"
        act="End session"
        onClose={close}
        onConfirm={async () => {
          await berth.sessions.delete(session.id);
          await done('The session has ended', 'sessions');
        }}
      >
        <p>Whoever uses it has to sign in again. If it was not you, change your password, too.</p>
      </Confirm>
    ));
  return (
    <Section title="Where you are signed in">
      <List
        label="Your sessions"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'From', cell: ({ fromAddress }) => fromAddress ?? 'unknown' },
          { title: 'With', cell: ({ userAgent }) => <span className="clip">{userAgent ?? 'unknown'}</span> },
          { title: 'Shown', cell: ({ factors }) => factors.map((factor) => factorWords[factor]).join(', ') },
          { title: 'Since', cell: ({ authenticatedAt }) => <When time={authenticatedAt} /> },
          { title: 'Ends unused', cell: ({ expiresAt }) => <When time={expiresAt} /> },
          {
            title: 'Actions',
            cell: (session) =>
              session.current ? (
                <Badge tone="good">this one</Badge>
              ) : (
                <Button
                  aria-label={`End session from ${session.fromAddress ?? 'unknown'}`}
                  onClick={() => end(session)}
                >
                  End
                </Button>
              ),
          },
        ]}
        empty={
          <Empty title="No sessions">
            <p>You came in with a key.</p>
          </Empty>
        }
      />
      {dialog}
    </Section>
  );
}

const factorWords: Record<Session['factors'][number], string> = {
  password: 'password',
  yubikey: 'YubiKey',
  '2fa': 'code',
  impersonated: 'an operator as you',
};
