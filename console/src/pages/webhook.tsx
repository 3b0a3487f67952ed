// One webhook: where it goes, what it tells, and what has become of each delivery.

import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { Delivery, Webhook } from '../../../sdk/generated/types.ts';
import { useDone, useRefresh } from '../done.ts';
import { useFilters } from '../filters.ts';
import { at } from '../format.ts';
import { useBerth } from '../session.tsx';
import { useAct } from '../ui/act.ts';
import { Button } from '../ui/button.tsx';
import { Confirm, useDialog } from '../ui/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../ui/form.tsx';
import { KindsField } from '../ui/kinds.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page, PageOf, Section } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Badge, When } from '../ui/words.tsx';

const filterNames = ['state'] as const;
const states = ['pending', 'delivered', 'dead'] as const;
const toneOf = { pending: 'busy', delivered: 'good', dead: 'bad' } as const;
const wordOf = { pending: 'under way', delivered: 'delivered', dead: 'given up' } as const;

/** The page. */
export default function WebhookPage() {
  const { webhook: id = '' } = useParams({ strict: false });
  const berth = useBerth();
  const read = useQuery({ queryKey: ['webhooks', id], queryFn: () => berth.webhooks.get(id) });
  return (
    <PageOf what="Webhook" read={read}>
      {(webhook) => <Shown webhook={webhook} />}
    </PageOf>
  );
}

function Shown({ webhook }: { webhook: Webhook }) {
  const berth = useBerth();
  const done = useDone();
  const refresh = useRefresh();
  const [busy, act] = useAct();
  const navigate = useNavigate();
  const [dialog, open] = useDialog();
  const remove = () =>
    open((close) => (
      <Confirm
        title="Remove this webhook?"
        act="Remove webhook"
        onClose={close}
        onConfirm={async () => {
          await berth.webhooks.delete(webhook.id);
          await navigate({ to: '/console/webhooks' });
          await done('The webhook is removed', 'webhooks');
        }}
      >
        <p>What is still to be delivered is dropped. It can’t be undone.</p>
      </Confirm>
    ));
  const toggle = () =>
    act(
      async () => {
        await berth.webhooks.update(webhook.id, { enabled: !webhook.enabled });
        await refresh('webhooks');
      },
      webhook.enabled ? 'Nothing is sent for now' : 'It is told again',
    );
  return (
    <Page
      title={webhook.url}
      actions={
        <>
          <Badge tone={webhook.enabled ? 'good' : 'quiet'}>{webhook.enabled ? 'on' : 'off'}</Badge>
          <Button busy={busy} onClick={() => void toggle()}>
            Switch {webhook.enabled ? 'off' : 'on'}
          </Button>
          <Button variant="danger" onClick={remove}>
            Remove
          </Button>
        </>
      }
    >
      <Deliveries webhook={webhook.id} />
      {webhook.format === 'event' && <Change webhook={webhook} />}
      {dialog}
    </Page>
  );
}

function Change({ webhook }: { webhook: Webhook }) {
  const berth = useBerth();
  const done = useDone();
  const form = useForm({ url: webhook.url, kinds: webhook.kinds }, async (values) => {
    await berth.webhooks.update(webhook.id, values);
    await done('Saved', 'webhooks');
  });
  return (
    <Section title="Where it goes, and what it tells">
      <Form form={form} act="Save">
        <TextField label="URL" type="url" spellCheck={false} {...form.field('url')} />
        <KindsField {...form.field('kinds')} />
      </Form>
    </Section>
  );
}

function Deliveries({ webhook }: { webhook: string }) {
  const berth = useBerth();
  const refresh = useRefresh();
  const [busy, act] = useAct();
  const [filters, narrow] = useFilters(filterNames);
  const state = states.find((one) => one === filters.state);
  const list = useList(['webhooks', webhook, 'deliveries', state], () =>
    berth.webhooks.listDeliveries(webhook, { state }),
  );
  const resend = ({ id }: Delivery) =>
    act(async () => {
      await berth.webhooks.resendDelivery(webhook, id);
      await refresh('webhooks');
    }, 'It is sent again');
  return (
    <Section title="Deliveries" actions={<Button onClick={list.retry}>Look again</Button>}>
      <div className="filters">
        <SelectField
          label="State"
          value={state ?? ''}
          choices={[{ value: '', label: 'All' }, ...states.map((one) => ({ value: one, label: wordOf[one] }))]}
          onChange={(value) => narrow({ state: value })}
        />
      </div>
      <List
        label="Deliveries"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Event',
            cell: ({ event }) => (event ? <span className="wide">{event.message}</span> : 'in the form of a dialect'),
          },
          { title: 'Kind', cell: ({ event }) => event && <code>{event.kind}</code> },
          { title: 'State', cell: (delivery) => <Badge tone={toneOf[delivery.state]}>{wordOf[delivery.state]}</Badge> },
          { title: 'Attempts', numeric: true, cell: ({ attempts }) => attempts },
          { title: 'Why not', cell: ({ lastError }) => lastError && <span className="wide">{lastError}</span> },
          { title: 'Happened', cell: ({ createdAt }) => <When time={createdAt} /> },
          { title: 'Over', cell: ({ endedAt }) => endedAt && at(endedAt) },
          {
            title: 'Actions',
            cell: (delivery) => (
              <Button
                aria-label={`Resend ${delivery.event?.message ?? delivery.id}`}
                busy={busy}
                onClick={() => void resend(delivery)}
              >
                Resend
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="Nothing to deliver">
            <p>What happens from now on, of the kinds that it is told of, is listed here with what has become of it.</p>
          </Empty>
        }
      />
    </Section>
  );
}
