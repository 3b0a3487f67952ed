// What happened, the newest first, as it happens.

import type { Event } from '../../../sdk/generated/types.ts';
import { feedKey } from '../event-feed.ts';
import { given, useFilters } from '../filters.ts';
import { ChooseAccount } from '../layout/choose-account.tsx';
import { useSession } from '../session.tsx';
import { SelectField, TextField } from '../ui/form.tsx';
import { HeldBack, useHeldBack } from '../ui/held-back.tsx';
import { eventKinds } from '../ui/kinds.tsx';
import { List, useList } from '../ui/list.tsx';
import { AccountName, InstanceName } from '../ui/names.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { When } from '../ui/words.tsx';

const cursorOf = ({ cursor }: Event) => cursor;
const names = ['kind', 'instance'] as const;

const ofOperators = [
  { value: 'host', label: 'Hosts' },
  { value: 'slot', label: 'Slots' },
  { value: 'orphan', label: 'Orphans' },
  { value: 'datacenter', label: 'Datacenters' },
  { value: 'configuration', label: 'Configurations' },
  { value: 'price', label: 'Prices' },
];

/** The page. */
export default function EventsPage() {
  const { berth, account: chosen, accounts, isOperator } = useSession();
  // Where there is one account nobody has chosen it, and who runs the whole looks for what belongs to none, too.
  const account = isOperator && accounts.length === 1 ? undefined : chosen;
  const [filters, narrow] = useFilters(names);
  const { kind, instance } = filters;
  const whose = account ? { account: account.id } : { all: isOperator };
  const key = feedKey({ account: account?.id, kind, instance });
  const canRead = account !== undefined || isOperator;
  const list = useList(key, () =>
    berth.events.list({ ...whose, ...given({ kind, instance }), newestFirst: true, limit: 50 }),
  );
  const { shown, held } = useHeldBack(list.rows, cursorOf);
  if (!canRead) {
    return (
      <Page title="Events">
        <ChooseAccount what="Events" />
      </Page>
    );
  }
  return (
    <Page title="Events">
      <div className="filters">
        <SelectField
          label="About"
          value={kind}
          choices={[{ value: '', label: 'Everything' }, ...eventKinds, ...(isOperator ? ofOperators : [])]}
          onChange={(value) => narrow({ kind: value })}
        />
        <TextField
          label="Instance"
          placeholder="ins_…"
          spellCheck={false}
          value={instance}
          onChange={(value) => narrow({ instance: value.trim() })}
        />
      </div>
      <HeldBack held={held} what={held === 1 ? 'event' : 'events'} />
      <List
        label="Events"
        list={{ ...list, rows: shown }}
        keyOf={cursorOf}
        columns={[
          { title: 'When', cell: ({ createdAt }) => <When time={createdAt} /> },
          { title: 'Kind', cell: (event) => <code>{event.kind}</code> },
          { title: 'What', cell: ({ message }) => <span className="wide">{message}</span> },
          { title: 'Instance', cell: (event) => event.instance && <InstanceName id={event.instance} /> },
          ...(account ? [] : [{ title: 'Account', cell: accountOf }]),
          { title: 'By', cell: ({ actor }) => actor },
        ]}
        empty={
          <Empty title="Nothing has happened">
            <p>
              {kind || instance
                ? 'At least nothing of this kind.'
                : 'What is made, changed and what fails will be listed here.'}
            </p>
          </Empty>
        }
      />
    </Page>
  );
}

const accountOf = ({ account }: Event) => account && <AccountName id={account} />;
