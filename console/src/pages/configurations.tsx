// The sizes that are sold.

import { useDone } from '../done.ts';
import { gib, mib } from '../format.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';

/** The page. */
export default function ConfigurationsPage() {
  const berth = useBerth();
  const done = useDone();
  const [dialog, open] = useDialog();
  const list = useList(['configurations', 'list'], () => berth.configurations.list());
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddConfiguration onClose={close} />)}>
      Sell a size
    </Button>
  );
  const remove = (slug: string) =>
    open((close) => (
      <Confirm
        title={`Sell ${slug} no longer?`}
        act="Sell it no longer"
        onClose={close}
        onConfirm={async () => {
          await berth.configurations.delete(slug);
          await done(`${slug} is sold no longer`, 'configurations', 'offers', 'capacity');
        }}
      >
        <p>What runs of it runs on. It can be put on sale again.</p>
      </Confirm>
    ));
  return (
    <Page title="Configurations" actions={add}>
      <List
        label="Configurations"
        list={list}
        keyOf={({ slug }) => slug}
        columns={[
          { title: 'Slug', cell: ({ slug }) => <code>{slug}</code> },
          { title: 'vCPUs', numeric: true, cell: ({ vcpus }) => vcpus },
          { title: 'Memory', numeric: true, cell: ({ memoryMib }) => mib(memoryMib) },
          { title: 'Storage', numeric: true, cell: ({ diskGib }) => gib(diskGib) },
          {
            title: 'Actions',
            cell: ({ slug }) => (
              <Button aria-label={`Take off ${slug}`} onClick={() => remove(slug)}>
                Take off
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No size is sold" action={add}>
            <p>Each size is offered on every host that it fits on.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function AddConfiguration({ onClose }: { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ slug: '' }, async ({ slug }) => {
    await berth.configurations.create({ slug });
    await done(`${slug} is sold`, 'configurations', 'offers', 'capacity');
    onClose();
  });
  return (
    <Dialog title="Sell a size" onClose={onClose}>
      <Form form={form} act="Sell" onCancel={onClose}>
        <TextField
          label="Slug"
          hint="Says the size, such as cpu-2-ram-4gb-storage-25gb"
          spellCheck={false}
          {...form.field('slug')}
        />
      </Form>
    </Dialog>
  );
}
