// Slots, as operators see them: slices of hosts that are let whole, each to one container.

import type { Slot } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { useFilters } from '../filters.ts';
import { usd } from '../format.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, useDialog } from '../ui/dialog.tsx';
import { SelectField } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { AccountName, HostName } from '../ui/names.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Badge } from '../ui/words.tsx';
import { AddSlot, PriceSlot } from './slot-forms.tsx';

const filterNames = ['available'] as const;
const toneOf = { available: 'good', rented: 'busy', inactive: 'quiet' } as const;

/** The page. */
export default function SlotsPage() {
  const berth = useBerth();
  const done = useDone();
  const [dialog, open] = useDialog();
  const [{ available }, narrow] = useFilters(filterNames);
  const list = useList(['slots', 'list', available], () =>
    berth.slots.list(available ? { available: available === 'true' } : {}),
  );
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddSlot onClose={close} />)}>
      Add slot
    </Button>
  );
  const isOpen = ({ operated }: Slot) => operated?.state === 'open';
  const toggle = (slot: Slot) =>
    open((close) => (
      <Confirm
        title={`${isOpen(slot) ? 'Close' : 'Open'} ${nameOf(slot)}?`}
        act={isOpen(slot) ? 'Close slot' : 'Open slot'}
        onClose={close}
        onConfirm={async () => {
          await berth.slots.update(slot.id, { state: isOpen(slot) ? 'closed' : 'open' });
          await done(`${nameOf(slot)} is ${isOpen(slot) ? 'closed' : 'open'}`, 'slots');
        }}
      >
        <p>
          {isOpen(slot) ? 'It is let no more; who rents it keeps it. It can be undone.' : 'It can be rented again.'}
        </p>
      </Confirm>
    ));
  const remove = (slot: Slot) =>
    open((close) => (
      <Confirm
        title={`Remove ${nameOf(slot)}?`}
        act="Remove slot"
        onClose={close}
        onConfirm={async () => {
          await berth.slots.delete(slot.id);
          await done(`${nameOf(slot)} is removed`, 'slots', 'hosts');
        }}
      >
        <p>Only a slot that nobody rents can be removed. What it took of its host is free again.</p>
      </Confirm>
    ));
  return (
    <Page title="Slots" actions={add}>
      <div className="filters">
        <SelectField
          label="Which"
          value={available}
          choices={[
            { value: '', label: 'All' },
            { value: 'true', label: 'That can be rented' },
            { value: 'false', label: 'That can’t' },
          ]}
          onChange={(value) => narrow({ available: value })}
        />
      </div>
      <List
        label="Slots"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Name', cell: nameOf },
          { title: 'Host', cell: ({ operated }) => operated && <HostName id={operated.host} /> },
          {
            title: 'Status',
            cell: ({ status, operated }) => (
              <span>
                <Badge tone={toneOf[status]}>{status}</Badge>{' '}
                {operated?.whyInactive && <span className="fine">{operated.whyInactive}</span>}
              </span>
            ),
          },
          { title: 'Size', cell: ({ vcpus, memoryGib, diskGib }) => `${vcpus} vCPU, ${memoryGib} GiB, ${diskGib} GiB` },
          { title: 'GPUs', cell: ({ gpus }) => gpus.map(({ count, name }) => `${count} × ${name}`).join(', ') || '–' },
          {
            title: 'Price',
            cell: ({ prices }) => prices.map(({ amount, unit }) => `${usd(amount)} / ${unit}`).join(', '),
          },
          {
            title: 'Rented by',
            cell: ({ operated }) => (operated?.account ? <AccountName id={operated.account} /> : '–'),
          },
          {
            title: 'Actions',
            cell: (slot) => (
              <div className="buttons">
                <Button
                  aria-label={`Price of ${nameOf(slot)}`}
                  onClick={() => open((close) => <PriceSlot slot={slot} onClose={close} />)}
                >
                  Price
                </Button>
                <Button aria-label={`${isOpen(slot) ? 'Close' : 'Open'} ${nameOf(slot)}`} onClick={() => toggle(slot)}>
                  {isOpen(slot) ? 'Close' : 'Open'}
                </Button>
                <Button aria-label={`Remove ${nameOf(slot)}`} onClick={() => remove(slot)}>
                  Remove
                </Button>
              </div>
            ),
          },
        ]}
        empty={
          <Empty title="No slots" action={add}>
            <p>A slot is a slice of a host, with GPUs if you like, that one container rents whole.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

const nameOf = ({ operated, id }: Slot) => operated?.name ?? id;
