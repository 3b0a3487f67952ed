// The buttons of a VM's power. Which of them can be pressed now, and why not, is the server's table: `allowed`.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Instance, PowerOrder } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { useAct } from '../../ui/act.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm, Dialog } from '../../ui/dialog.tsx';
import { Icon } from '../../ui/icon.tsx';

/** What can be done about power. */
export type PowerAction = PowerOrder['action'];

interface Words {
  label: string;
  /** What it does, for who has to choose. */
  does: string;
  /** What may be lost by it; asked before. Left out where nothing is. */
  loses?: string;
  /** What is said when it was ordered. */
  done: string;
}

const unwritten = 'What its system has not yet written to its disks is lost.';

/** In the order in which they are shown. */
export const powerWords: Record<PowerAction, Words> = {
  start: { label: 'Start', does: 'Switches it on.', done: 'is being started' },
  shutdown: {
    label: 'Shut down',
    does: 'Presses its power button; its system shuts down by itself.',
    done: 'is told to shut down',
  },
  reset: {
    label: 'Reset',
    does: 'Presses its reset button; it boots anew without being switched off.',
    loses: unwritten,
    done: 'is being reset',
  },
  cycle: {
    label: 'Power cycle',
    does: 'Pulls its plug and puts it in again. A new size or machine counts from then on.',
    loses: unwritten,
    done: 'is being switched off and on',
  },
  restart: {
    label: 'Restart',
    does: 'Pulls its plug and puts it in again; one that is off is switched on.',
    loses: unwritten,
    done: 'is being restarted',
  },
  stop: { label: 'Stop', does: 'Pulls its plug.', loses: unwritten, done: 'is being stopped' },
};
const actions = Object.keys(powerWords) as PowerAction[];

/** Orders power, and has what it changes read again. */
export function usePower(): (instance: Instance, action: PowerAction) => Promise<void> {
  const berth = useBerth();
  const cache = useQueryClient();
  return async ({ id }, action) => {
    await berth.instances.power(id, { action });
    void cache.invalidateQueries({ queryKey: ['operations'] });
  };
}

interface PowerButtonProps {
  instance: Instance;
  action: PowerAction;
  /** Only its icon is shown, where there is one; its name stays for who can't see it. */
  icon?: 'play' | 'stop';
  onDone?: () => void;
}

/** One of the buttons; asks before where something may be lost. */
function PowerButton({ instance, action, icon, onDone }: PowerButtonProps) {
  const power = usePower();
  const [busy, act] = useAct();
  const [isAsking, setAsking] = useState(false);
  const { label, does, loses, done } = powerWords[action];
  const order = () => power(instance, action);
  const press = () => {
    if (loses !== undefined) return setAsking(true);
    void act(order, `${instance.name} ${done}`).then(onDone);
  };
  return (
    <>
      <Button
        busy={busy}
        reason={instance.allowed[action]}
        onClick={press}
        {...(icon ? { className: 'button-icon', 'aria-label': `${label} ${instance.name}` } : {})}
      >
        {icon ? <Icon name={icon} /> : label}
      </Button>
      {isAsking && (
        <Confirm
          title={`${label} ${instance.name}?`}
          act={`${label} ${instance.name}`}
          onConfirm={order}
          onClose={() => {
            setAsking(false);
            onDone?.();
          }}
        >
          <p>{does}</p>
          <p>{loses}</p>
        </Confirm>
      )}
    </>
  );
}

/** All of them, for the page of an instance. */
export const PowerButtons = ({ instance }: { instance: Instance }) =>
  actions.map((action) => <PowerButton key={action} instance={instance} action={action} />);

/** What a row of a list has: switched on or off at once, and all else behind a third button. */
export function PowerOfRow({ instance }: { instance: Instance }) {
  const [isOpen, setOpen] = useState(false);
  const canStart = instance.status === 'stopped';
  return (
    <span className="row-acts">
      <PowerButton instance={instance} action={canStart ? 'start' : 'stop'} icon={canStart ? 'play' : 'stop'} />
      <Button className="button-icon" aria-label={`Power of ${instance.name}`} onClick={() => setOpen(true)}>
        <Icon name="more" />
      </Button>
      {isOpen && (
        <Dialog title={`Power of ${instance.name}`} onClose={() => setOpen(false)}>
          <ul className="power-choices">
            {actions.map((action) => (
              <li key={action}>
                <PowerButton instance={instance} action={action} onDone={() => setOpen(false)} />
                <span className="fine">{instance.allowed[action] ?? powerWords[action].does}</span>
              </li>
            ))}
          </ul>
          <div className="buttons">
            <Button onClick={() => setOpen(false)}>Close</Button>
          </div>
        </Dialog>
      )}
    </span>
  );
}
