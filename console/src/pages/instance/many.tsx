// What is done to many instances together: each on its own, so that one that can't does not hold up the others; what could not be
// done is told with its reason.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Instance } from '../../../../sdk/generated/types.ts';
import { many } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm, Dialog } from '../../ui/dialog.tsx';

/** As many calls run at a time. */
const atATime = 6;
/** So many names are told before something is done. */
const namesShown = 12;

type Act = 'start' | 'stop' | 'delete';
const acts: Record<Act, { label: string; done: string; loses: string }> = {
  start: { label: 'Start', done: 'started', loses: 'They are switched on, and cost what they cost.' },
  stop: {
    label: 'Stop',
    done: 'stopped',
    loses: 'Their plugs are pulled: what their systems have not yet written to their disks is lost.',
  },
  delete: {
    label: 'Delete',
    done: 'deleted',
    loses: 'VMs go off and out of sight, and can be brought back for a while; containers end for good.',
  },
};

interface Outcome {
  act: Act;
  done: number;
  /** What could not be done, and why. */
  refused: { name: string; why: string }[];
}

/** The bar of what can be done to those that are chosen; nothing while none is. */
export function ManyActs({ chosen, onDone }: { chosen: readonly Instance[]; onDone(): void }) {
  const berth = useBerth();
  const cache = useQueryClient();
  const [asked, setAsked] = useState<Act>();
  const [outcome, setOutcome] = useState<Outcome>();

  const run = async (act: Act) => {
    const refused: Outcome['refused'] = [];
    const todo = [...chosen];
    const work = async () => {
      for (let one = todo.shift(); one; one = todo.shift()) {
        const why = one.allowed[act];
        if (why !== null) {
          refused.push({ name: one.name, why });
          continue;
        }
        try {
          await (act === 'delete' ? berth.instances.delete(one.id) : berth.instances.power(one.id, { action: act }));
        } catch (error) {
          refused.push({ name: one.name, why: (error as Error).message });
        }
      }
    };
    await Promise.all(Array.from({ length: atATime }, work));
    setOutcome({ act, done: chosen.length - refused.length, refused });
    onDone();
    void cache.invalidateQueries({ queryKey: ['instances', 'list'] });
  };

  return (
    <>
      {chosen.length > 0 && (
        <section className="chosen-bar" aria-label="What is chosen">
          <strong>{many(chosen.length, 'instance')} chosen</strong>
          {(Object.keys(acts) as Act[]).map((act) => (
            <Button key={act} variant={act === 'delete' ? 'danger' : 'plain'} onClick={() => setAsked(act)}>
              {acts[act].label}
            </Button>
          ))}
          <Button onClick={onDone}>Choose none</Button>
        </section>
      )}
      {asked && (
        <Confirm
          title={`${acts[asked].label} ${many(chosen.length, 'instance')}?`}
          act={`${acts[asked].label} ${many(chosen.length, 'instance')}`}
          onConfirm={() => run(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>{acts[asked].loses}</p>
          <p>
            {chosen
              .slice(0, namesShown)
              .map(({ name }) => name)
              .join(', ')}
            {chosen.length > namesShown ? ` and ${chosen.length - namesShown} more` : ''}
          </p>
        </Confirm>
      )}
      {outcome && !asked && (
        <Dialog
          title={`${many(outcome.done, 'instance')} ${outcome.done === 1 ? 'is' : 'are'} being ${acts[outcome.act].done}`}
          onClose={() => setOutcome(undefined)}
        >
          {outcome.refused.length > 0 && (
            <>
              <p>{many(outcome.refused.length, 'instance')} could not be:</p>
              <ul>
                {outcome.refused.map(({ name, why }, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: names come twice in different groups, and the list stays as it is
                  <li key={index}>
                    <strong>{name}</strong>: {why}
                  </li>
                ))}
              </ul>
            </>
          )}
          <div className="buttons">
            <Button onClick={() => setOutcome(undefined)}>Close</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
