// Webhooks: URLs that are told what happens in an account.

import { Link } from '@tanstack/react-router';
import type { Webhook } from '../../../sdk/generated/types.ts';
import { useDone, useRefresh } from '../done.ts';
import { ChooseAccount } from '../layout/choose-account.tsx';
import { useBerth, useSession } from '../session.tsx';
import { useAct } from '../ui/act.ts';
import { Button } from '../ui/button.tsx';
import { Dialog, ShownOnce, useDialog } from '../ui/dialog.tsx';
import { Form, TextField, useForm } from '../ui/form.tsx';
import { KindsField } from '../ui/kinds.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Badge, Copyable, When } from '../ui/words.tsx';

/** The page. */
export default function WebhooksPage() {
  const { berth, account } = useSession();
  const refresh = useRefresh();
  const [busy, act] = useAct();
  const [dialog, open] = useDialog();
  const list = useList(['webhooks', 'list', account?.id], () => berth.webhooks.list({ account: account?.id }));
  if (!account) {
    return (
      <Page title="Webhooks">
        <ChooseAccount what="Webhooks" />
      </Page>
    );
  }
  const add = (
    <Button variant="primary" onClick={() => open((close) => <AddWebhook account={account.id} onClose={close} />)}>
      Add webhook
    </Button>
  );
  const toggle = ({ id, enabled }: Webhook) =>
    act(
      async () => {
        await berth.webhooks.update(id, { enabled: !enabled });
        await refresh('webhooks');
      },
      enabled ? 'Nothing is sent for now' : 'It is told again',
    );
  return (
    <Page title="Webhooks" actions={add}>
      <List
        label="Webhooks"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'URL',
            cell: ({ id, url }) => (
              <Link to="/console/webhooks/$webhook" params={{ webhook: id }}>
                {url}
              </Link>
            ),
          },
          { title: 'Told of', cell: ({ kinds }) => kinds.join(', ') },
          {
            title: 'State',
            cell: ({ enabled }) => <Badge tone={enabled ? 'good' : 'quiet'}>{enabled ? 'on' : 'off'}</Badge>,
          },
          { title: 'Added', cell: ({ createdAt }) => <When time={createdAt} /> },
          {
            title: 'Actions',
            cell: (webhook) => (
              <Button
                aria-label={`Switch ${webhook.enabled ? 'off' : 'on'} ${webhook.url}`}
                busy={busy}
                onClick={() => void toggle(webhook)}
              >
                Switch {webhook.enabled ? 'off' : 'on'}
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="Nobody is told" action={add}>
            <p>
              A webhook posts events to a URL of yours as they happen, signed, and tries again until they were taken. On
              the command line:
            </p>
            <Copyable
              text="berth webhook create https://hooks.example.com/berth --on instance.failed"
              label="command line"
            />
          </Empty>
        }
      />
      {dialog}
    </Page>
  );
}

function AddWebhook({ account, onClose }: { account: string; onClose(): void }) {
  const berth = useBerth();
  const done = useDone();
  const [secret, open] = useDialog();
  const form = useForm({ url: '', kinds: ['instance'] }, async ({ url, kinds }) => {
    const made = await berth.webhooks.create({ account, url, kinds });
    await done('The webhook is added', 'webhooks');
    open(() => (
      <ShownOnce title="The webhook’s secret" secrets={[['Secret', made.secret ?? '']]} onClose={onClose}>
        <p>
          Deliveries are signed with it: <code>X-Webhook-Signature</code> is the HMAC-SHA256 of the body.
        </p>
      </ShownOnce>
    ));
  });
  return (
    secret ?? (
      <Dialog title="Add a webhook" onClose={onClose}>
        <Form form={form} act="Add" onCancel={onClose}>
          <TextField
            label="URL"
            type="url"
            spellCheck={false}
            placeholder="https://hooks.example.com/berth"
            {...form.field('url')}
          />
          <KindsField {...form.field('kinds')} />
        </Form>
      </Dialog>
    )
  );
}
