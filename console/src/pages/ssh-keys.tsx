// The SSH keys of an account, which new instances let in.

import type { SshKey } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { ChooseAccount } from '../layout/choose-account.tsx';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextAreaField, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Remove } from '../ui/remove.tsx';
import { Empty } from '../ui/state.tsx';
import { Copyable, When } from '../ui/words.tsx';

/** The page. */
export default function SshKeysPage() {
  const { berth, account } = useSession();
  const [dialog, open] = useDialog();
  const list = useList(['ssh-keys', 'list', account?.id], () => berth.sshKeys.list({ account: account?.id }));
  if (!account) {
    return (
      <Page title="SSH keys">
        <ChooseAccount what="SSH keys" />
      </Page>
    );
  }
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddKey account={account.id} onClose={close} />)}>
      Add SSH key
    </Button>
  );
  const remove = ({ id, name }: SshKey) =>
    open((close) => (
      <Remove name={name} remove={() => berth.sshKeys.delete(id)} stale={['ssh-keys']} onClose={close}>
        <p>New instances can no longer be made with it. What was made with it keeps it, and goes on letting it in.</p>
      </Remove>
    ));
  return (
    <Page title="SSH keys" actions={add}>
      <List
        label="SSH keys"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Name', cell: ({ name }) => name },
          {
            title: 'Fingerprint',
            cell: ({ name, fingerprint }) => <Copyable text={fingerprint} label={`fingerprint of ${name}`} />,
          },
          { title: 'Algorithm', cell: ({ algorithm }) => algorithm },
          { title: 'Added', cell: ({ createdAt }) => <When time={createdAt} /> },
          {
            title: 'Actions',
            cell: (key) => (
              <Button aria-label={`Remove ${key.name}`} onClick={() => remove(key)}>
                Remove
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No SSH key yet" action={add}>
            <p>
              A VM lets in whoever has one of the keys that it was made with. Make one with <code>ssh-keygen</code>, and
              add its public half here, or on the command line:
            </p>
            <Copyable text="berth ssh-key add ~/.ssh/id_ed25519.pub --name laptop" label="command line" />
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function AddKey({ account, onClose }: { account: string; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ publicKey: '', name: '' }, async ({ publicKey, name }) => {
    const key = await berth.sshKeys.create({ account, publicKey: publicKey.trim(), ...(name ? { name } : {}) });
    await done(`${key.name} is added`, 'ssh-keys');
    onClose();
  });
  return (
    <Dialog title="Add an SSH key" onClose={onClose}>
      <Form form={form} act="Add" onCancel={onClose}>
        <TextAreaField
          label="Public key"
          hint="One line that begins with ssh-ed25519 or the like, as in ~/.ssh/id_ed25519.pub"
          spellCheck={false}
          {...form.field('publicKey')}
        />
        <TextField label="Name" hint="Its fingerprint unless given" {...form.field('name')} />
      </Form>
    </Dialog>
  );
}
