// Rate cards, which hosts are pointed to.

import { useDone } from '../done.ts';
import { usd } from '../format.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { When } from '../ui/words.tsx';

/** The page. */
export default function PricesPage() {
  const berth = useBerth();
  const [dialog, open] = useDialog();
  const list = useList(['prices', 'list'], () => berth.prices.list());
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddPrice onClose={close} />)}>
      Add rate card
    </Button>
  );
  return (
    <Page title="Prices" actions={add}>
      <p className="fine">US dollars for an epoch. A card never changes: add another, and point hosts to it.</p>
      <List
        label="Rate cards"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'A vCPU', numeric: true, cell: ({ rates }) => usd(rates.vcpu) },
          { title: 'A GiB of memory', numeric: true, cell: ({ rates }) => usd(rates.memoryGib) },
          { title: 'A GiB of storage', numeric: true, cell: ({ rates }) => usd(rates.storageGib) },
          { title: 'Of ssd', numeric: true, cell: ({ rates }) => usd(rates.gradeGib.ssd) },
          { title: 'Of archive', numeric: true, cell: ({ rates }) => usd(rates.gradeGib.archive) },
          { title: 'An address', numeric: true, cell: ({ rates }) => usd(rates.publicIp) },
          { title: 'Added', cell: ({ createdAt }) => <When time={createdAt} /> },
        ]}
        empty={
          <Empty title="No rate card" action={add}>
            <p>Each host sells at the rates of a card.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function AddPrice({ onClose }: { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const initial = { vcpu: '', memoryGib: '', storageGib: '', ssd: '', archive: '', publicIp: '' };
  const form = useForm(initial, async ({ ssd, archive, ...rates }) => {
    const gradeGib = { ...(ssd ? { ssd } : {}), ...(archive ? { archive } : {}) };
    await berth.prices.create({ ...rates, gradeGib });
    await done('The card is added; point hosts to it', 'prices');
    onClose();
  });
  return (
    <Dialog title="Add a rate card" onClose={onClose}>
      <Form form={form} act="Add" onCancel={onClose}>
        <div className="fields">
          <TextField label="A vCPU" inputMode="decimal" {...form.field('vcpu')} />
          <TextField label="A GiB of memory" inputMode="decimal" {...form.field('memoryGib')} />
          <TextField label="A GiB of storage" inputMode="decimal" {...form.field('storageGib')} />
          <TextField label="An address" inputMode="decimal" {...form.field('publicIp')} />
          <TextField
            label="A GiB of ssd"
            hint="As the settings say unless given"
            inputMode="decimal"
            {...form.field('ssd')}
          />
          <TextField
            label="A GiB of archive"
            hint="As the settings say unless given"
            inputMode="decimal"
            {...form.field('archive')}
          />
        </div>
      </Form>
    </Dialog>
  );
}
