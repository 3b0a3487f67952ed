// Starts a container on a slot that is free.

import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { useDone } from '../../done.ts';
import { usd } from '../../format.ts';
import { AccountField } from '../../layout/choose-account.tsx';
import { instancePath } from '../../paths.ts';
import { useSession } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Form, type FormState, fieldErrors, SelectField, TextAreaField, TextField, useForm } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { type ContainerValues, containerBodyOf, containerValuesOf } from './container-body.ts';
import { Cost } from './cost.tsx';
import { useEstimate, useTrial } from './estimate.ts';
import { GroupField } from './group-field.tsx';
import { Hold, useHeld } from './hold.tsx';
import { SameElsewhere } from './same-elsewhere.tsx';
import { SlotField, useFreeSlots } from './slot-field.tsx';
import { SshKeysField } from './ssh-keys-field.tsx';

/** The form. */
export function ContainerForm() {
  const { berth, account } = useSession();
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const done = useDone();
  const slots = useFreeSlots();
  const pricesOf = (slot: string) => slots.data?.find(({ id }) => id === slot)?.prices ?? [];
  /** With the price that is shown as chosen where nobody has chosen one. */
  const priced = (given: ContainerValues) => ({
    ...given,
    slotPrice: given.slotPrice || (pricesOf(given.slot)[0]?.id ?? ''),
  });
  const held = useHeld('container');
  const quote = held.quote && { quote: held.quote.id };
  const [showsPassword, showPassword] = useState(false);
  const form = useForm(containerValuesOf(search, account?.id ?? ''), async (given) => {
    const { id, name } = await berth.instances.create({ ...containerBodyOf(priced(given)), ...quote });
    await done(`${name} is on its way`, 'instances', 'deployments', 'slots', 'balance', 'quotes');
    return navigate({ to: instancePath(id) });
  });
  const { values, set } = form;
  const accountId = account?.id;
  useEffect(() => {
    if (accountId) set('account', accountId);
  }, [accountId, set]);
  const setKeys = useCallback((keys: string[]) => set('sshKeys', keys), [set]);
  const prices = pricesOf(values.slot);
  const isAskable = values.account !== '' && values.slot !== '';
  // A price can be told before there is an image.
  const asked = containerBodyOf(priced(values));
  const body = { ...asked, image: values.image.trim() || 'scratch' };
  // What is held is free for nobody else, so its price is the quote's.
  const estimated = useEstimate(isAskable && !held.quote ? body : null);
  const trial = useTrial(isAskable && values.image.trim() !== '' ? { ...asked, ...quote } : null);
  const wrong = { ...fieldErrors(trial.error, values), ...fieldErrors(estimated.error, values) };
  const field: FormState<ContainerValues>['field'] = (name) => {
    const bound = form.field(name);
    return { ...bound, error: bound.error ?? wrong[name] };
  };
  const isShort = estimated.estimate !== undefined && !estimated.error && !estimated.estimate.sufficient;
  const missing = values.account === '' ? 'an account' : values.slot === '' ? 'a slot' : null;
  const reason = missing ? `Choose ${missing} first.` : isShort ? 'The account has too little for it.' : null;
  return (
    <Form form={form} act={`Start ${values.name}`} reason={reason}>
      <div className="create-columns">
        <div>
          <AccountField {...field('account')} />
          <Section title="What it runs on">
            <SlotField
              {...field('slot')}
              onChange={(id) => {
                set('slot', id);
                set('slotPrice', '');
              }}
            />
            {prices.length > 1 && (
              <SelectField
                label="Price"
                {...field('slotPrice')}
                value={priced(values).slotPrice}
                choices={prices.map(({ id, unit, amount }) => ({ value: id, label: `${usd(amount)} an ${unit}` }))}
              />
            )}
          </Section>
          <Section title="What it runs">
            <TextField label="Image" hint="Such as nginx:latest or registry.example.com/app:1" {...field('image')} />
            <TextAreaField
              label="Environment"
              hint="A line of NAME=value each"
              spellCheck={false}
              {...field('environment')}
            />
            <TextAreaField label="Startup script" spellCheck={false} {...field('startupScript')} />
            <details>
              <summary>The image is in a private registry</summary>
              <div className="row-fields">
                <TextField label="Registry" placeholder="registry.example.com" {...field('server')} />
                <TextField label="Login" autoComplete="off" {...field('login')} />
                <TextField
                  label="Password"
                  type={showsPassword ? 'text' : 'password'}
                  autoComplete="off"
                  {...field('password')}
                />
              </div>
              <Button aria-pressed={showsPassword} onClick={() => showPassword(!showsPassword)}>
                {showsPassword ? 'Hide the password' : 'Show the password'}
              </Button>
            </details>
          </Section>
          <Section title="Who gets in">
            <SshKeysField
              account={values.account}
              value={values.sshKeys}
              error={field('sshKeys').error}
              onChange={setKeys}
            />
            <TextField
              label="Ports open from outside"
              hint="Such as 5432, or 8443/https for one with a name and a certificate"
              {...field('ports')}
            />
          </Section>
          <Section title="What it is called">
            <div className="row-fields">
              <TextField label="Name" hint="Letters, digits and -" {...field('name')} />
              <GroupField account={values.account} {...field('group')} />
            </div>
          </Section>
          <SameElsewhere
            body={{ ...asked, ...quote }}
            showsSecrets={showsPassword}
            isWrong={Object.keys(wrong).length > 0}
            isWhole={isAskable && values.image.trim() !== ''}
          />
        </div>
        <Cost
          estimated={estimated}
          held={held.quote}
          refusal={trial.error}
          isToldElsewhere={Object.keys(wrong).length > 0}
          before="Choose a slot to see it."
        >
          <Hold
            held={held}
            wanted={{
              kind: 'container',
              account: values.account,
              slot: values.slot,
              slotPrice: priced(values).slotPrice || undefined,
            }}
            isAskable={estimated.estimate !== undefined && !estimated.error}
          />
        </Cost>
      </div>
    </Form>
  );
}
