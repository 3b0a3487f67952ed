// The way in: with a password and, where the user has one, a second factor; or with an API key.

import { useEffect, useState } from 'react';
import { Berth } from '../../../sdk/berth.ts';
import { RefusedError } from '../../../sdk/error.ts';
import { Form, TextField, useForm } from '../ui/form.tsx';

interface SignInProps {
  /** Is told the key, or null where a cookie has the session. */
  onSignedIn(key: string | null): Promise<void>;
  /** Whether somebody was signed in here until now. */
  hadSession: boolean;
}

/** The page for who is not signed in. */
export default function SignInPage({ onSignedIn, hadSession }: SignInProps) {
  const [way, setWay] = useState<'password' | 'key'>('password');
  useEffect(() => {
    document.title = 'Sign in · Berth';
  }, []);
  return (
    <div className="door">
      <main>
        <img src="/console/favicon.svg" alt="" width="40" height="40" />
        <div className="page-head">
          <h1>Sign in to Berth</h1>
        </div>
        {hadSession && (
          <p className="note" role="status">
            You are signed out.
          </p>
        )}
        {way === 'password' ? <PasswordForm onSignedIn={onSignedIn} /> : <KeyForm onSignedIn={onSignedIn} />}
        <p className="fine">
          <button type="button" className="link-button" onClick={() => setWay(way === 'password' ? 'key' : 'password')}>
            {way === 'password' ? 'Sign in with an API key' : 'Sign in with a password'}
          </button>
        </p>
      </main>
    </div>
  );
}

function PasswordForm({ onSignedIn }: Pick<SignInProps, 'onSignedIn'>) {
  const [needsCode, setNeedsCode] = useState(false);
  const form = useForm({ username: '', password: '', code: '' }, async ({ username, password, code }) => {
    const berth = new Berth({ url: location.origin, attempts: 1 });
    try {
      await berth.sessions.create({ username, password, cookie: true, ...(code ? { code } : {}) });
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'second_factor_needed' && !needsCode) {
        setNeedsCode(true);
        return;
      }
      throw error;
    }
    await onSignedIn(null);
  });
  const { values, set, errors } = form;
  return (
    <Form form={form} act={needsCode ? 'Sign in with this code' : 'Sign in'}>
      <TextField
        label="Username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={values.username}
        error={errors.username}
        onChange={(value) => set('username', value)}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        value={values.password}
        error={errors.password}
        onChange={(value) => set('password', value)}
      />
      {needsCode && (
        <TextField
          label="Code"
          hint="Of your authenticator; the password was right"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          value={values.code}
          error={errors.code}
          onChange={(value) => set('code', value)}
        />
      )}
    </Form>
  );
}

function KeyForm({ onSignedIn }: Pick<SignInProps, 'onSignedIn'>) {
  const form = useForm({ key: '' }, async ({ key }) => {
    await new Berth({ url: location.origin, apiKey: key.trim(), attempts: 1 }).me.get();
    await onSignedIn(key.trim());
  });
  return (
    <Form form={form} act="Sign in">
      <TextField
        label="API key"
        type="password"
        autoComplete="off"
        hint="This tab forgets it when it is closed."
        required
        value={form.values.key}
        error={form.errors.key}
        onChange={(value) => form.set('key', value)}
      />
    </Form>
  );
}
