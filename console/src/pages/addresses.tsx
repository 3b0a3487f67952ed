// The addresses of VMs, and what each is called in the other direction.

import type { Address } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { InstanceName } from '../ui/names.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Copyable } from '../ui/words.tsx';

/** The page. */
export default function AddressesPage() {
  const { berth, account } = useSession();
  const done = useDone();
  const [dialog, open] = useDialog();
  const list = useList(['addresses', 'list', account?.id], () => berth.addresses.list({ account: account?.id }));
  const giveBack = ({ address }: Address) =>
    open((close) => (
      <Confirm
        title={`Give ${address} back?`}
        act="Give it back"
        onClose={close}
        onConfirm={async () => {
          await berth.addresses.delete(address);
          await done(`${address} is given back`, 'addresses', 'instances');
        }}
      >
        <p>Its VM is no longer reached by it, and somebody else may get it. It can’t be undone.</p>
      </Confirm>
    ));
  return (
    <Page title="Addresses">
      <List
        label="Addresses"
        list={list}
        keyOf={({ address }) => address}
        columns={[
          { title: 'Address', cell: ({ address }) => <Copyable text={address} label={address} /> },
          { title: 'VM', cell: ({ instance }) => <InstanceName id={instance} /> },
          { title: 'Kind', cell: ({ additional }) => (additional ? 'additional' : 'main') },
          { title: 'Reverse name', cell: ({ reverseName }) => reverseName ?? '–' },
          { title: 'For', cell: ({ reason }) => reason ?? '–' },
          {
            title: 'Actions',
            cell: (address) => (
              <div className="buttons">
                <Button
                  aria-label={`Name ${address.address}`}
                  onClick={() => open((close) => <Rename address={address} onClose={close} />)}
                >
                  Name
                </Button>
                {address.additional && (
                  <Button aria-label={`Give back ${address.address}`} onClick={() => giveBack(address)}>
                    Give back
                  </Button>
                )}
              </div>
            ),
          },
        ]}
        empty={
          <Empty title="No address yet">
            <p>Each VM has one of its own from when it is made; more can be added to it on its page.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function Rename({ address, onClose }: { address: Address; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ reverseName: address.reverseName ?? '' }, async ({ reverseName }) => {
    await berth.addresses.update(address.address, { reverseName: reverseName || null });
    await done(`${address.address} is ${reverseName ? `called ${reverseName}` : 'called nothing'} now`, 'addresses');
    onClose();
  });
  return (
    <Dialog title={`What ${address.address} is called`} onClose={onClose}>
      <Form form={form} act="Save" onCancel={onClose}>
        <TextField
          label="Reverse name"
          hint="What who looks the address up is told, such as www.example.com; empty for nothing"
          spellCheck={false}
          {...form.field('reverseName')}
        />
      </Form>
    </Dialog>
  );
}
