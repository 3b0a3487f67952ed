// Rate cards, which hosts are pointed to.

import { useQuery } from '@tanstack/react-query';
import type { GradeRates, Price } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { given } from '../filters.ts';
import { many, usd } from '../format.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, type FormState, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { When } from '../ui/words.tsx';

/** The page. */
export default function PricesPage() {
  const berth = useBerth();
  const [dialog, open] = useDialog();
  const list = useList(['prices', 'list'], () => berth.prices.list());
  const { data: hosts = [] } = useQuery({ queryKey: ['hosts', 'all'], queryFn: () => berth.hosts.list().all() });
  const countOf = ({ id }: Price) => hosts.filter((host) => host.price === id).length;
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddPrice onClose={close} />)}>
      Add rate card
    </Button>
  );
  return (
    <Page title="Prices" actions={add}>
      <p className="fine">
        US dollars for an epoch. A card never changes: who changes a rate points its hosts to another one.
      </p>
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
          { title: 'Hosts', numeric: true, cell: countOf },
          { title: 'Added', cell: ({ createdAt }) => <When time={createdAt} /> },
          {
            title: 'Actions',
            cell: (card) => (
              <Button
                aria-label={`Change rates of ${card.id}`}
                onClick={() => open((close) => <RevisePrice card={card} hosts={countOf(card)} onClose={close} />)}
              >
                Change
              </Button>
            ),
          },
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

interface RateValues {
  vcpu: string;
  memoryGib: string;
  storageGib: string;
  publicIp: string;
  ssd: string;
  archive: string;
}

/** The rates as the API takes them; grades that are '' are left out. */
function bodyOf<Rates extends object>({
  ssd = '',
  archive = '',
  ...rates
}: Rates & { ssd?: string; archive?: string }): Omit<Rates, 'ssd' | 'archive'> & { gradeGib?: Partial<GradeRates> } {
  const gradeGib = given({ ssd, archive });
  return { ...rates, ...(Object.keys(gradeGib).length > 0 ? { gradeGib } : {}) };
}

function RateFields({ form, hint }: { form: FormState<RateValues>; hint?: string }) {
  const field = (name: keyof RateValues, label: string) => (
    <TextField label={label} inputMode="decimal" {...form.field(name)} />
  );
  const grade = (name: keyof RateValues, label: string) => (
    <TextField label={label} hint={hint} inputMode="decimal" {...form.field(name)} />
  );
  return (
    <div className="fields">
      {field('vcpu', 'A vCPU')}
      {field('memoryGib', 'A GiB of memory')}
      {field('storageGib', 'A GiB of storage')}
      {field('publicIp', 'An address')}
      {grade('ssd', 'A GiB of ssd')}
      {grade('archive', 'A GiB of archive')}
    </div>
  );
}

function AddPrice({ onClose }: { onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const initial = { vcpu: '', memoryGib: '', storageGib: '', publicIp: '', ssd: '', archive: '' };
  const form = useForm(initial, async (values) => {
    await berth.prices.create(bodyOf(values));
    await done('The card is added; point hosts to it', 'prices');
    onClose();
  });
  return (
    <Dialog title="Add a rate card" onClose={onClose}>
      <Form form={form} act="Add" onCancel={onClose}>
        <RateFields form={form} hint="As the settings say unless given" />
      </Form>
    </Dialog>
  );
}

/** Changes rates for the hosts that have a card; those that were not touched stay. */
function RevisePrice({ card, hosts, onClose }: { card: Price; hosts: number; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const { gradeGib, ...rates } = card.rates;
  const initial: RateValues = { ...rates, ssd: gradeGib.ssd ?? '', archive: gradeGib.archive ?? '' };
  const form = useForm(initial, async (values) => {
    const changed = Object.entries(values).filter(([name, rate]) => rate !== initial[name as keyof RateValues]);
    const rates: Partial<RateValues> = Object.fromEntries(changed);
    const revised = await berth.prices.revise(card.id, bodyOf(rates));
    await done(`${many(revised.hosts.length, 'host')} cost that from now on`, 'prices', 'hosts', 'offers', 'capacity');
    onClose();
  });
  const isSame = (Object.keys(initial) as (keyof RateValues)[]).every((name) => form.values[name] === initial[name]);
  return (
    <Dialog title="Change rates" onClose={onClose}>
      <Form form={form} act="Change" reason={isSame ? 'Change a rate first.' : null} onCancel={onClose}>
        <p>
          {hosts === 0
            ? 'No host has this card; another one is made of it all the same.'
            : `${many(hosts, 'host')} with this card will cost what you say here, for what is deployed from now on. What runs keeps its price.`}
        </p>
        <RateFields form={form} />
      </Form>
    </Dialog>
  );
}
