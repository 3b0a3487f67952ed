// Whom the new instance lets in: keys of the account's, and a new one that is registered on the way.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useRef } from 'react';
import { useDone } from '../../done.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { TextAreaField, useForm } from '../../ui/form.tsx';
import { SshKeyPicker } from '../../ui/pickers.tsx';
import { Failure } from '../../ui/state.tsx';

interface SshKeysFieldProps {
  account: string;
  /** Fingerprints, and the line of a key that was pasted. */
  value: string[];
  error: string | undefined;
  onChange(value: string[]): void;
}

/** An account that has more keys than this chooses which; of fewer all are chosen to begin with. */
const allChosenMax = 10;

/** A public key has spaces in it, a fingerprint has none. */
const isLine = (key: string) => /\s/.test(key);

/** The keys that an account has registered. */
export function useKeysOf(account: string) {
  const berth = useBerth();
  return useQuery({
    queryKey: ['ssh-keys', 'of', account],
    queryFn: () => berth.sshKeys.list({ account, limit: 200 }).all(),
    enabled: account !== '',
  });
}

/** The field. One that is pasted gets in whether it is registered or not. */
export function SshKeysField({ account, value, error, onChange }: SshKeysFieldProps) {
  const berth = useBerth();
  const done = useDone();
  const errorId = useId();
  const keys = useKeysOf(account);
  const fieldset = useRef<HTMLFieldSetElement>(null);
  const chosenFor = useRef('');
  useEffect(() => {
    if (!keys.data || chosenFor.current === account) return;
    chosenFor.current = account;
    const all = keys.data.map(({ fingerprint }) => fingerprint);
    onChange([...(all.length > allChosenMax ? [] : all), ...value.filter(isLine)]);
  }, [keys.data, account, value, onChange]);
  const form = useForm({ publicKey: '' }, async ({ publicKey }) => {
    // A key usually says whose it is; without a name it goes by its fingerprint.
    const name = publicKey.trim().split(/\s+/).slice(2).join(' ');
    const isFree = name !== '' && !keys.data?.some((known) => known.name === name);
    const key = await berth.sshKeys.create({ account, publicKey: publicKey.trim(), ...(isFree ? { name } : {}) });
    await done(`${key.name} is registered`, 'ssh-keys');
    onChange([...new Set([...value.filter((one) => !isLine(one)), key.fingerprint])]);
    form.reset();
  });
  const paste = (publicKey: string) => {
    form.set('publicKey', publicKey);
    const line = publicKey.trim();
    onChange([...value.filter((one) => !isLine(one)), ...(line === '' ? [] : [isLine(line) ? line : `${line} `])]);
  };
  const known = keys.data ?? [];
  const chosen = value.filter((one) => !isLine(one));
  const isAnyLeft = known.some(({ fingerprint }) => !value.includes(fingerprint));
  const leaveOut = (fingerprint: string) => {
    onChange(value.filter((one) => one !== fingerprint));
    // The button goes with its key; the field that has the key again is there in a moment.
    requestAnimationFrame(() => fieldset.current?.querySelector<HTMLElement>('[role=combobox]')?.focus());
  };
  return (
    <fieldset ref={fieldset} className="plain-fieldset" aria-describedby={error ? errorId : undefined}>
      <legend>SSH keys</legend>
      {keys.error && <Failure error={keys.error} onRetry={() => keys.refetch()} />}
      {chosen.length > 0 && (
        <ul className="chosen-keys" aria-label="Keys that get in">
          {chosen.map((fingerprint) => {
            const { name, algorithm } = known.find((key) => key.fingerprint === fingerprint) ?? { name: fingerprint };
            return (
              <li key={fingerprint}>
                <span>
                  {name}
                  <span className="fine">
                    {' '}
                    {algorithm}
                    {name !== fingerprint && `, ${fingerprint}`}
                  </span>
                </span>
                <Button aria-label={`Leave out ${name}`} onClick={() => leaveOut(fingerprint)}>
                  Leave out
                </Button>
              </li>
            );
          })}
        </ul>
      )}
      {isAnyLeft && (
        <SshKeyPicker
          label="Add a registered key"
          account={account}
          besides={chosen}
          value=""
          error={undefined}
          onChange={(fingerprint) => onChange([...value, fingerprint])}
        />
      )}
      {value.length === 0 && keys.data && (
        <p className="hint">Nobody can log in by SSH unless a key is chosen or added.</p>
      )}
      {error && (
        <p id={errorId} className="error" role="alert">
          {error}
        </p>
      )}
      <TextAreaField
        label="A new public key"
        hint="One line, as in ~/.ssh/id_ed25519.pub. It gets in as it stands; registered, it is offered next time, too."
        rows={2}
        spellCheck={false}
        {...form.field('publicKey')}
        onChange={paste}
      />
      {form.failure && <Failure error={form.failure} />}
      <Button
        busy={form.busy}
        reason={form.values.publicKey.trim() === '' ? 'Paste a public key first.' : null}
        onClick={() => void form.submit()}
      >
        Register this key
      </Button>
    </fieldset>
  );
}
