// Groups: named sets of instances, each with a network of its own.

import { Link } from '@tanstack/react-router';
import type { Group } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { AccountField } from '../layout/choose-account.tsx';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { AccountName } from '../ui/names.tsx';
import { Page } from '../ui/page.tsx';
import { Remove } from '../ui/remove.tsx';
import { Empty } from '../ui/state.tsx';
import { Copyable } from '../ui/words.tsx';

const nameHint = 'Letters, digits and -; it becomes a part of its VMs’ host names';

/** The page. */
export default function GroupsPage() {
  const { berth, account } = useSession();
  const [dialog, open] = useDialog();
  const list = useList(['groups', 'list', account?.id], () => berth.groups.list({ account: account?.id }));
  const add = (
    <Button variant="primary" onClick={() => open((close) => <EditGroup onClose={close} />)}>
      Add group
    </Button>
  );
  const remove = ({ id, name }: Group) =>
    open((close) => (
      <Remove name={name} remove={() => berth.groups.delete(id)} stale={['groups']} onClose={close}>
        <p>Only a group that nothing is in can be removed, not even a deleted VM that can be restored.</p>
      </Remove>
    ));
  return (
    <Page title="Groups" actions={add}>
      <List
        label="Groups"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Name', cell: ({ name }) => name },
          { title: 'Account', cell: ({ account: of }) => <AccountName id={of} /> },
          {
            title: 'Instances',
            cell: ({ id, name }) => (
              <Link to="/console/instances" search={{ group: id } as never} aria-label={`Show instances in ${name}`}>
                Show
              </Link>
            ),
          },
          {
            title: 'Actions',
            cell: (group) => (
              <div className="buttons">
                <Button
                  aria-label={`Rename ${group.name}`}
                  onClick={() => open((close) => <EditGroup group={group} onClose={close} />)}
                >
                  Rename
                </Button>
                <Button aria-label={`Remove ${group.name}`} onClick={() => remove(group)}>
                  Remove
                </Button>
              </div>
            ),
          },
        ]}
        empty={
          <Empty title="No group" action={add}>
            <p>VMs of one group share a network, and people can be given a group to run. On the command line:</p>
            <Copyable text="berth group create web" label="command line" />
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

/** Names a new group, or another name for one. */
function EditGroup({ group, onClose }: { group?: Group; onClose(): void }) {
  const { account } = useSession();
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ account: account?.id ?? '', name: group?.name ?? '' }, async ({ account: of, name }) => {
    if (group) await berth.groups.update(group.id, { name });
    else await berth.groups.create({ name, ...(of ? { account: of } : {}) });
    await done(group ? `${group.name} is called ${name} now` : `${name} is added`, 'groups');
    onClose();
  });
  return (
    <Dialog title={group ? `Rename ${group.name}` : 'Add a group'} onClose={onClose}>
      <Form form={form} act={group ? 'Rename' : 'Add'} onCancel={onClose}>
        {!group && <AccountField {...form.field('account')} />}
        <TextField
          label="Name"
          hint={group ? `${nameHint}, which follow` : nameHint}
          spellCheck={false}
          {...form.field('name')}
        />
      </Form>
    </Dialog>
  );
}
