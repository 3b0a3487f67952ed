// Where hosts stand.

import type { Datacenter } from '../../../sdk/generated/types.ts';
import { useDone } from '../done.ts';
import { useBerth } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, useDialog } from '../ui/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Remove } from '../ui/remove.tsx';
import { Empty } from '../ui/state.tsx';

const tiers = ['1', '2', '3', '4'].map((value) => ({ value, label: value }));

/** The page. */
export default function DatacentersPage() {
  const berth = useBerth();
  const [dialog, open] = useDialog();
  const list = useList(['datacenters', 'list'], () => berth.datacenters.list());
  const add = (
    <Button variant="primary" onClick={() => open((close) => <EditDatacenter onClose={close} />)}>
      Add datacenter
    </Button>
  );
  const remove = ({ id, slug }: Datacenter) =>
    open((close) => (
      <Remove
        name={slug}
        remove={() => berth.datacenters.delete(id)}
        stale={['datacenters', 'offers', 'capacity']}
        onClose={close}
      >
        <p>Only a datacenter in which no host stands can be removed.</p>
      </Remove>
    ));
  return (
    <Page title="Datacenters" actions={add}>
      <List
        label="Datacenters"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'Slug', cell: ({ slug }) => slug },
          { title: 'Country', cell: ({ country }) => country },
          { title: 'City', cell: ({ city, cityIndex }) => `${city} ${cityIndex}` },
          { title: 'Tier', numeric: true, cell: ({ tier }) => tier },
          { title: 'Certifications', cell: ({ certifications }) => certifications.join(', ') || '–' },
          {
            title: 'Actions',
            cell: (place) => (
              <div className="buttons">
                <Button
                  aria-label={`Change ${place.slug}`}
                  onClick={() => open((close) => <EditDatacenter place={place} onClose={close} />)}
                >
                  Change
                </Button>
                <Button aria-label={`Remove ${place.slug}`} onClick={() => remove(place)}>
                  Remove
                </Button>
              </div>
            ),
          },
        ]}
        empty={
          <Empty title="No datacenter yet" action={add}>
            <p>Customers choose by country, city and datacenter where their instances run.</p>
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function EditDatacenter({ place, onClose }: { place?: Datacenter; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const initial = {
    slug: place?.slug ?? '',
    country: place?.country ?? '',
    city: place?.city ?? '',
    cityIndex: String(place?.cityIndex ?? 1),
    tier: String(place?.tier ?? 3),
    certifications: place?.certifications.join(', ') ?? '',
  };
  const form = useForm(initial, async ({ slug, country, city, cityIndex, tier, certifications }) => {
    const body = {
      ...{ country, city, cityIndex: Number(cityIndex), tier: Number(tier) },
      certifications: certifications.split(',').flatMap((one) => one.trim() || []),
    };
    if (place) await berth.datacenters.update(place.id, body);
    else await berth.datacenters.create({ slug, ...body });
    await done(place ? 'Saved' : `${slug} is added`, 'datacenters', 'offers', 'capacity');
    onClose();
  });
  return (
    <Dialog title={place ? `Change ${place.slug}` : 'Add a datacenter'} onClose={onClose}>
      <Form form={form} act={place ? 'Save' : 'Add'} onCancel={onClose}>
        {!place && (
          <TextField
            label="Slug"
            hint="Lower-case letters, digits and -; it stays"
            spellCheck={false}
            {...form.field('slug')}
          />
        )}
        <div className="fields">
          <TextField label="Country" hint="Two letters, such as PL" maxLength={2} {...form.field('country')} />
          <TextField label="City" hint="Of its UN/LOCODE, such as POZ" maxLength={3} {...form.field('city')} />
          <TextField label="Number in its city" inputMode="numeric" {...form.field('cityIndex')} />
          <SelectField label="Tier" choices={tiers} {...form.field('tier')} />
        </div>
        <TextField label="Certifications" hint="With commas between them" {...form.field('certifications')} />
      </Form>
    </Dialog>
  );
}
