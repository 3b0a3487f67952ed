// What a host has and nobody owns: looked at, and removed for good.

import type { Orphan } from '../../../../sdk/generated/types.ts';
import { useDone } from '../../done.ts';
import { gib, mib } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm, useDialog } from '../../ui/dialog.tsx';
import { List, useList } from '../../ui/list.tsx';
import { Section } from '../../ui/page.tsx';
import { Empty } from '../../ui/state.tsx';
import { When } from '../../ui/words.tsx';

/** What it takes, as far as its host can tell. */
const sizeOf = ({ vcpus, memoryMib, diskGib }: Orphan): string =>
  vcpus > 0 ? `${vcpus} vCPU, ${mib(memoryMib)}, ${gib(diskGib)}` : 'not known';

/** The list. */
export function Orphans({ host }: { host: string }) {
  const berth = useBerth();
  const done = useDone();
  const [dialog, open] = useDialog();
  const list = useList(['orphans', 'list', host], () => berth.orphans.list({ host }));
  const remove = ({ instance, address }: Orphan) =>
    open((close) => (
      <Confirm
        title="Erase this orphan?"
        act="Erase it"
        onClose={close}
        onConfirm={async () => {
          await berth.orphans.delete(instance);
          await done('Its host is told to erase it', 'orphans', 'hosts');
        }}
      >
        <p>
          <code>{instance}</code> is switched off, and everything on it is erased. It can’t be undone.
          {address && ` Then ${address} is free for others.`}
        </p>
      </Confirm>
    ));
  return (
    <Section title="Orphans">
      <p className="fine">These run here, and nobody owns them. Their addresses are kept from others.</p>
      <List
        label="Orphans"
        list={list}
        keyOf={({ instance }) => instance}
        columns={[
          { title: 'Made as', cell: ({ instance }) => <code className="clip">{instance}</code> },
          { title: 'State', cell: ({ state }) => state },
          { title: 'Address', cell: ({ address }) => address ?? '–' },
          { title: 'Takes', cell: sizeOf },
          { title: 'Seen', cell: ({ seenAt }) => <When time={seenAt} /> },
          {
            title: 'Actions',
            cell: (orphan) => (
              <Button
                aria-label={`Erase ${orphan.instance}`}
                reason={orphan.removing ? 'Its host has been told to erase it.' : null}
                onClick={() => remove(orphan)}
              >
                Erase
              </Button>
            ),
          },
        ]}
        empty={
          <Empty title="No orphans">
            <p>Everything that runs here has an owner.</p>
          </Empty>
        }
      />
      {dialog}
    </Section>
  );
}
