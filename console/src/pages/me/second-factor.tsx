// The second factor of who is signed in: set up with the password and a first code, taken away with another.

import { useState } from 'react';
import type { SecondFactorSecret, User } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { useBerth } from '../../session.tsx';
import { Form, TextField, useForm } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { QrCode } from '../../ui/qr-code.tsx';
import { Badge, Copyable } from '../../ui/words.tsx';

const codeField = { inputMode: 'numeric', autoComplete: 'one-time-code', maxLength: 6 } as const;

/** What there is, and the way to the other. */
export function SecondFactor({ user }: { user: User }) {
  const [secret, setSecret] = useState<SecondFactorSecret>();
  return (
    <Section title="Second factor">
      <p>
        <Badge tone={user.secondFactor ? 'good' : 'quiet'}>{user.secondFactor ? 'set up' : 'none'}</Badge>{' '}
        {user.secondFactor
          ? 'A code of your authenticator is needed to sign in.'
          : 'Your password alone lets in. With an authenticator, a code is needed besides.'}
      </p>
      {user.secondFactor ? (
        <Remove />
      ) : secret ? (
        <Confirm secret={secret} onDone={() => setSecret(undefined)} />
      ) : (
        <Begin onMade={setSecret} />
      )}
    </Section>
  );
}

function Begin({ onMade }: { onMade(secret: SecondFactorSecret): void }) {
  const berth = useBerth();
  const form = useForm({ currentPassword: '' }, async ({ currentPassword }) => {
    onMade(await berth.users.createSecondFactor('me', { currentPassword }));
  });
  return (
    <Form form={form} act="Set up a second factor">
      <TextField
        label="Your password, once more"
        type="password"
        autoComplete="current-password"
        {...form.field('currentPassword')}
      />
    </Form>
  );
}

function Confirm({ secret, onDone }: { secret: SecondFactorSecret; onDone(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ code: '' }, async ({ code }) => {
    await berth.users.confirmSecondFactor('me', { code: code.trim() });
    await done('From now on a code is needed to sign in', 'users', 'sessions');
    onDone();
  });
  return (
    <Form form={form} act="Confirm" onCancel={onDone}>
      <p>
        Scan this with your authenticator, <a href={secret.uri}>open it on this device</a>, or type in the secret.
      </p>
      <QrCode text={secret.uri} label="QR code of the address for the authenticator, which stands below in letters" />
      <dl className="secrets">
        <dt>Secret</dt>
        <dd>
          <Copyable text={secret.secret} label="secret" />
        </dd>
        <dt>Address for the authenticator</dt>
        <dd>
          <Copyable text={secret.uri} label="address for the authenticator" />
        </dd>
      </dl>
      <TextField
        label="Code"
        hint="The six digits that it shows now"
        {...codeField}
        autoFocus
        {...form.field('code')}
      />
    </Form>
  );
}

function Remove() {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ code: '' }, async ({ code }) => {
    await berth.users.removeSecondFactor('me', { code: code.trim() });
    await done('The second factor is gone', 'users');
  });
  return (
    <Form form={form} act="Take it away">
      <TextField label="Code" hint="Of your authenticator" {...codeField} {...form.field('code')} />
    </Form>
  );
}
