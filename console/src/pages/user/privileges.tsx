// What a user may do, and under which terms: granted, changed and taken away.

import type { Privilege, User } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { many } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm, Dialog, useDialog } from '../../ui/dialog.tsx';
import { type Bound, CheckField, Form, TextField, useForm } from '../../ui/form.tsx';
import { GrantFields, GrantWords, grantOf, noGrant } from '../../ui/grant.tsx';
import { List, useList } from '../../ui/list.tsx';
import { Section } from '../../ui/page.tsx';
import { Empty } from '../../ui/state.tsx';

/** The list, and what can be done about each. */
export function Privileges({ user }: { user: User }) {
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
              <div className="buttons">
                <Button
                  aria-label={`Terms of ${privilege.level}`}
                  onClick={() => open((close) => <Terms privilege={privilege} onClose={close} />)}
                >
                  Terms
                </Button>
                <Button aria-label={`Take away ${privilege.level}`} onClick={() => revoke(privilege)}>
                  Take away
                </Button>
              </div>
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

const minuteSeconds = 60;

function termsOf({
  secondFactorRequired,
  secondFactorAgeSecondsMax: ageMax,
  fromAddresses,
  apiKey,
}: Privilege): string {
  const age = ageMax === null ? '' : ` no older than ${many(Math.round((ageMax / minuteSeconds) * 10) / 10, 'minute')}`;
  const terms = [
    ...(secondFactorRequired ? [`with a second factor${age}`] : []),
    ...(fromAddresses ? [`from ${fromAddresses.join(', ')}`] : []),
    ...(apiKey ? ['by an API key'] : []),
  ];
  return terms.join(', ') || '–';
}

interface TermValues {
  secondFactorRequired: boolean;
  /** In minutes. */
  secondFactorAgeSecondsMax: string;
  fromAddresses: string;
}

/** Terms as the API takes them. */
const bodyOf = ({ secondFactorRequired, secondFactorAgeSecondsMax: minutes, fromAddresses }: TermValues) => {
  const from = fromAddresses.split(/[\s,]+/).filter(Boolean);
  return {
    secondFactorRequired,
    secondFactorAgeSecondsMax: secondFactorRequired && minutes.trim() ? Number(minutes) * minuteSeconds : null,
    fromAddresses: from.length > 0 ? from : null,
  };
};

interface TermForm {
  values: TermValues;
  set(name: 'secondFactorRequired', value: boolean): void;
  field(name: 'secondFactorAgeSecondsMax' | 'fromAddresses'): Bound<string>;
}

function TermFields({ form }: { form: TermForm }) {
  return (
    <>
      <CheckField
        label="Only with a second factor"
        checked={form.values.secondFactorRequired}
        onChange={(checked) => form.set('secondFactorRequired', checked)}
      />
      {form.values.secondFactorRequired && (
        <TextField
          label="Shown at most so many minutes ago"
          hint="Of any age in the session unless given"
          inputMode="decimal"
          {...form.field('secondFactorAgeSecondsMax')}
        />
      )}
      <TextField
        label="Only from these addresses"
        hint="Such as 192.0.2.7 or 198.51.100.0/24; from anywhere unless given"
        spellCheck={false}
        {...form.field('fromAddresses')}
      />
    </>
  );
}

/** Changes under which terms a privilege holds; what it allows and on what is another privilege. */
function Terms({ privilege, onClose }: { privilege: Privilege; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const { secondFactorRequired, secondFactorAgeSecondsMax: ageMax, fromAddresses } = privilege;
  const initial: TermValues = {
    secondFactorRequired,
    secondFactorAgeSecondsMax: ageMax === null ? '' : String(ageMax / minuteSeconds),
    fromAddresses: fromAddresses?.join(', ') ?? '',
  };
  const form = useForm(initial, async (values) => {
    await berth.privileges.update(privilege.id, bodyOf(values));
    await done('The terms are changed', 'privileges', 'users');
    onClose();
  });
  return (
    <Dialog title="Under which terms it holds" onClose={onClose}>
      <Form form={form} act="Save" onCancel={onClose}>
        <p>
          {privilege.user.username} <GrantWords of={privilege} />. To allow something else, or on something else, grant
          another privilege and take this one away.
        </p>
        <TermFields form={form} />
      </Form>
    </Dialog>
  );
}

function Grant({ user, onClose }: { user: User; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const initial = { ...noGrant, secondFactorRequired: false, secondFactorAgeSecondsMax: '', fromAddresses: '' };
  const form = useForm(initial, async (values) => {
    const grant = grantOf(values);
    if (!grant) throw new Error('Choose what is granted.');
    await berth.privileges.create({ user: user.id, ...grant, ...bodyOf(values) });
    await done(`Granted to ${user.username}`, 'privileges', 'users');
    onClose();
  });
  return (
    <Dialog title={`Grant ${user.username} a privilege`} onClose={onClose}>
      <Form form={form} act="Grant" onCancel={onClose}>
        <GrantFields form={form} />
        <TermFields form={form} />
      </Form>
    </Dialog>
  );
}
