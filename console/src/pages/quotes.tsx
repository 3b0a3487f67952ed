// Quotes: room that is held at a price for a while.

import { Link } from '@tanstack/react-router';
import type { Quote } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { useFilters } from '../filters.ts';
import { gib, many, mib, usd } from '../format.ts';
import { ChooseAccount } from '../layout/choose-account.tsx';
import { createPath } from '../paths.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, useDialog } from '../ui/dialog.tsx';
import { SelectField } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Badge, Copyable, When } from '../ui/words.tsx';
import { prefillOf } from './create/vm-body.ts';

const filterNames = ['state'] as const;
const states = ['open', 'used', 'expired', 'released', 'lost'] as const;
const toneOf = { open: 'good', used: 'quiet', expired: 'quiet', released: 'quiet', lost: 'bad' } as const;

/** The page. */
export default function QuotesPage() {
  const { berth, account } = useSession();
  const done = useDone();
  const [dialog, open] = useDialog();
  const [filters, narrow] = useFilters(filterNames);
  const state = states.find((one) => one === filters.state);
  const list = useList(['quotes', 'list', account?.id, state], () =>
    berth.quotes.list({ account: account?.id, state }),
  );
  if (!account) {
    return (
      <Page title="Quotes">
        <ChooseAccount what="Quotes" />
      </Page>
    );
  }
  const letGo = (quote: Quote) =>
    open((close) => (
      <Confirm
        title="Let go of this quote?"
        act="Let go"
        onClose={close}
        onConfirm={async () => {
          await berth.quotes.delete(quote.id);
          await done('What it held is everybody’s again', 'quotes', 'offers', 'capacity');
        }}
      >
        <p>What it holds, {sizeOf(quote)}, is everybody’s at once, and its price is no longer promised.</p>
      </Confirm>
    ));
  return (
    <Page title="Quotes">
      <div className="filters">
        <SelectField
          label="State"
          value={state ?? ''}
          choices={[{ value: '', label: 'All' }, ...states.map((one) => ({ value: one, label: one }))]}
          onChange={(value) => narrow({ state: value })}
        />
      </div>
      <List
        label="Quotes"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Holds', cell: sizeOf },
          {
            title: 'State',
            cell: (quote) => (
              <span>
                <Badge tone={toneOf[quote.state]}>{quote.state}</Badge>{' '}
                {quote.reason && <span className="fine">{quote.reason}</span>}
              </span>
            ),
          },
          { title: 'Price', numeric: true, cell: ({ total, unit }) => `${usd(total)} / ${unit}` },
          { title: 'Needs', numeric: true, cell: ({ needed }) => usd(needed) },
          { title: 'Made', cell: ({ createdAt }) => <When time={createdAt} /> },
          { title: 'Until', cell: ({ closedAt, expiresAt }) => <When time={closedAt ?? expiresAt} /> },
          {
            title: 'Actions',
            cell: (quote) =>
              quote.state === 'open' && (
                <div className="buttons">
                  <Link
                    className="button"
                    to={createPath}
                    search={prefillOf(quote) as never}
                    aria-label={`Create from this quote: ${sizeOf(quote)}`}
                  >
                    Create from this quote
                  </Link>
                  <Button aria-label={`Let go of ${sizeOf(quote)}`} onClick={() => letGo(quote)}>
                    Let go
                  </Button>
                </div>
              ),
          },
        ]}
        empty={
          <Empty
            title="No quotes"
            action={
              <Link className="button button-primary" to={createPath}>
                Choose something to hold
              </Link>
            }
          >
            <p>
              A quote holds room at the price of now, for up to an hour. Choose what you want as if you created it, and
              hold it in place of that. On the command line:
            </p>
            <Copyable text="berth quote create --size cpu-2-ram-4gb" label="command line" />
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function sizeOf({ count, kind, configuration, vcpus, memoryMib, diskGib }: Quote): string {
  const size = configuration ?? `${vcpus} vCPU, ${mib(memoryMib)}, ${gib(diskGib)}`;
  return `${many(count, kind === 'vm' ? 'VM' : 'container')} of ${size}`;
}
