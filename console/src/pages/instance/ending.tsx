// The end of an instance, and a deleted VM's way back.

import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { Instance } from '../../../../sdk/generated/types.ts';
import { many } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { useAct } from '../../ui/act.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { Section } from '../../ui/page.tsx';

const forGood =
  "Its disks with all that is on them, their backups and its addresses are gone for good. This can't be undone.";
const forAWhile = (days: number) =>
  `It goes off and out of sight, and costs only what its disks and addresses do. It keeps its name, addresses and disks, and can be brought back for ${many(days, 'day')}, until ${day(days)}; then it is purged.`;
const ofContainer = "It ends, and all that it has written is gone for good. This can't be undone.";

const dayMs = 86_400_000;
const day = (days: number) => new Date(Date.now() + days * dayMs).toLocaleDateString('en-GB', { dateStyle: 'long' });

/** The part of the page where an instance is deleted, brought back, or erased. */
export function Ending({ instance }: { instance: Instance }) {
  const berth = useBerth();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [busy, act] = useAct();
  const [asked, setAsked] = useState<'delete' | 'purge'>();
  const { id, name, kind, allowed } = instance;
  const isVm = kind === 'vm';
  const end = async (isPurge: boolean) => {
    await (isPurge ? berth.instances.purge(id) : berth.instances.delete(id));
    void cache.invalidateQueries({ queryKey: ['instances', 'list'] });
    // What is gone for good has no page any more.
    if (isPurge || !isVm) void navigate({ to: '/console/instances' });
  };
  const undelete = async () => {
    cache.setQueryData(['instances', id], await berth.instances.undelete(id));
    void cache.invalidateQueries({ queryKey: ['instances', 'list'] });
  };
  return (
    <Section title={isVm ? 'Delete' : 'End'}>
      <div className="buttons">
        <Button variant="danger" reason={allowed.delete} onClick={() => setAsked('delete')}>
          Delete {name}
        </Button>
        {isVm && (
          <>
            <Button busy={busy} reason={allowed.undelete} onClick={() => void act(undelete, `${name} is back`)}>
              Bring it back
            </Button>
            <Button variant="danger" reason={allowed.purge} onClick={() => setAsked('purge')}>
              Purge {name}
            </Button>
          </>
        )}
      </div>
      {asked && (
        <Confirm
          title={asked === 'purge' ? `Purge ${name}?` : `Delete ${name}?`}
          act={asked === 'purge' ? `Purge ${name} for good` : `Delete ${name}`}
          onConfirm={() => end(asked === 'purge')}
          onClose={() => setAsked(undefined)}
        >
          <p>{asked === 'purge' ? forGood : instance.vm ? forAWhile(instance.vm.restorableDays) : ofContainer}</p>
        </Confirm>
      )}
    </Section>
  );
}
