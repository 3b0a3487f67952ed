// API keys: those of an account, which programs of it call with, and the user's own. A key is shown once.

import type { ApiKey, NewApiKeyAnswer } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { ChooseAccount } from '../layout/choose-account.tsx';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, ShownOnce, useDialog } from '../ui/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../ui/form.tsx';
import { GrantFields, GrantWords, grantOf, noGrant } from '../ui/grant.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import type { Column } from '../ui/table.tsx';
import { Badge, When } from '../ui/words.tsx';

const dayMs = 86_400_000;
const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
  { value: '', label: 'Until it is revoked' },
];
const scopes = [
  { value: 'full', label: 'Everything in the account' },
  { value: 'read-only', label: 'Only read' },
];
const toneOf = { valid: 'good', revoked: 'quiet', expired: 'quiet' } as const;

/** The page. */
export default function ApiKeysPage() {
  const { account, me } = useSession();
  return (
    <Page title="API keys">
      {account ? <AccountKeys account={account} /> : <ChooseAccount what="API keys" />}
      {me.user && <OwnKeys />}
    </Page>
  );
}

function AccountKeys({ account }: { account: { id: string; name: string } }) {
  const berth = useBerth();
  const list = useList(['api-keys', 'list', account.id], () => berth.apiKeys.list({ account: account.id }));
  const [dialog, open] = useDialog();
  const columns = useColumns(open);
  const add = (
    <Button variant="primary" onClick={() => open((close) => <NewAccountKey account={account.id} onClose={close} />)}>
      Make API key
    </Button>
  );
  return (
    <Section title={`Keys of ${account.name}`} actions={add}>
      <List
        label={`API keys of ${account.name}`}
        list={list}
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          <Empty title="No API key yet">
            <p>
              Programs, the command line and Terraform call Berth with a key. Give each its own, so that one can be
              revoked alone.
            </p>
          </Empty>
        }
      />
      {dialog}
    </Section>
  );
}

function OwnKeys() {
  const berth = useBerth();
  const list = useList(['api-keys', 'list', 'own'], () => berth.apiKeys.list());
  const [dialog, open] = useDialog();
  const columns = useColumns(open);
  const add = <Button onClick={() => open((close) => <NewOwnKey onClose={close} />)}>Make a key of your own</Button>;
  return (
    <Section title="Your own keys" actions={add}>
      <List
        label="Your own API keys"
        list={list}
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          <Empty title="You have no key of your own">
            <p>Such a key acts in your name, and does only what you grant to it.</p>
          </Empty>
        }
      />
      {dialog}
    </Section>
  );
}

function useColumns(open: ReturnType<typeof useDialog>[1]): Column<ApiKey>[] {
  const berth = useBerth();
  const done = useDone();
  const end = ({ id, name }: ApiKey) =>
    open((close) => (
      <Confirm
        title={`Revoke ${name}?`}
        act="Revoke"
        onClose={close}
        onConfirm={async () => {
          await berth.apiKeys.delete(id);
          await done(`${name} is revoked`, 'api-keys');
        }}
      >
        <p>Whatever calls with it is refused from now on. It can’t be undone.</p>
      </Confirm>
    ));
  return [
    { title: 'Name', cell: ({ name }) => name },
    { title: 'State', cell: ({ state }) => <Badge tone={toneOf[state]}>{state}</Badge> },
    { title: 'May', cell: (key) => <Allowed of={key} /> },
    { title: 'Last used', cell: ({ lastUsedAt }) => (lastUsedAt ? <When time={lastUsedAt} /> : 'Never') },
    { title: 'Made', cell: ({ createdAt }) => <When time={createdAt} /> },
    { title: 'Expires', cell: ({ expiresAt }) => (expiresAt ? <When time={expiresAt} /> : 'Never') },
    {
      title: 'Actions',
      cell: (key) =>
        key.state === 'valid' && (
          <Button aria-label={`Revoke ${key.name}`} onClick={() => end(key)}>
            Revoke
          </Button>
        ),
    },
  ];
}

function Allowed({ of: { scope, privileges } }: { of: ApiKey }) {
  if (scope) return scope === 'full' ? 'everything' : 'read';
  if (privileges.length === 0) return 'nothing';
  return (
    <ul className="plain">
      {privileges.map((privilege) => (
        <li key={privilege.id}>
          <GrantWords of={privilege} />
        </li>
      ))}
    </ul>
  );
}

const expiryOf = (days: string) =>
  days ? { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() } : {};

/** Shows the new key after its form. */
function KeyDialog({ made, onClose }: { made: NewApiKeyAnswer; onClose(): void }) {
  return (
    <ShownOnce title={`The key ${made.name}`} secrets={[['API key', made.secret]]} onClose={onClose}>
      <p>
        Send it as <code>Authorization: Bearer</code>, or set <code>BERTH_API_KEY</code> to it.
      </p>
    </ShownOnce>
  );
}

function NewAccountKey({ account, onClose }: { account: string; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const [secret, open] = useDialog();
  const form = useForm({ name: '', scope: 'full', expiresAt: '90' }, async ({ name, scope, expiresAt }) => {
    const of = scope === 'full' ? 'full' : 'read-only';
    const made = await berth.apiKeys.create({ account, name, scope: of, ...expiryOf(expiresAt) });
    await done(`${name} is made`, 'api-keys');
    open(() => <KeyDialog made={made} onClose={onClose} />);
  });
  return (
    secret ?? (
      <Dialog title="Make an API key" onClose={onClose}>
        <Form form={form} act="Make" onCancel={onClose}>
          <TextField label="Name" hint="Stands in events as who did it" {...form.field('name')} />
          <SelectField label="May do" choices={scopes} {...form.field('scope')} />
          <SelectField label="Holds for" choices={lifetimes} {...form.field('expiresAt')} />
        </Form>
      </Dialog>
    )
  );
}

function NewOwnKey({ onClose }: { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const [secret, open] = useDialog();
  const form = useForm({ name: '', expiresAt: '90', ...noGrant }, async ({ name, expiresAt, ...grant }) => {
    const given = grantOf(grant);
    const made = await berth.apiKeys.create({ name, ...expiryOf(expiresAt), privileges: given ? [given] : [] });
    await done(`${name} is made`, 'api-keys', 'privileges');
    open(() => <KeyDialog made={made} onClose={onClose} />);
  });
  return (
    secret ?? (
      <Dialog title="Make a key of your own" onClose={onClose}>
        <Form form={form} act="Make" onCancel={onClose}>
          <TextField label="Name" {...form.field('name')} />
          <GrantFields form={form} none="Nothing yet" />
          <SelectField label="Holds for" choices={lifetimes} {...form.field('expiresAt')} />
        </Form>
      </Dialog>
    )
  );
}
