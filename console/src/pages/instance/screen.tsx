// The screen of a VM by noVNC, which is large, so this module is loaded only where one is shown.

import RFB from '@novnc/novnc';
import { useEffect, useRef, useState } from 'react';
import type { Instance } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { type DoorState, DoorView } from './door-view.tsx';
import { isWayOut } from './way-out.ts';

/** A screen that opens its door as it is shown, and again when it was closed and that is asked for. */
export default function ScreenView({ instance: { id, name } }: { instance: Instance }) {
  const berth = useBerth();
  const box = useRef<HTMLDivElement>(null);
  const wayOut = useRef<HTMLParagraphElement>(null);
  const [state, setState] = useState<DoorState>({ is: 'opening' });
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt is a new screen
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const gone = new AbortController();
    setState({ is: 'opening' });
    let rfb: RFB | undefined;
    const follow = async () => {
      const door = await berth.instances.open(id, 'screen', { signal: gone.signal });
      if (gone.signal.aborted) return door.close();
      rfb = new RFB(target, door.socket as unknown as string);
      rfb.scaleViewport = true;
      rfb.addEventListener('connect', () => {
        setState({ is: 'open' });
        const canvas = target.querySelector('canvas');
        canvas?.setAttribute('role', 'application');
        canvas?.setAttribute('aria-label', `Screen of ${name}`);
        rfb?.focus();
      });
      const { reason } = await door.closed;
      if (!gone.signal.aborted) setState({ is: 'closed', why: reason || 'The connection is closed.' });
    };
    follow().catch((error: unknown) => {
      if (!gone.signal.aborted) setState({ is: 'closed', why: (error as Error).message });
    });
    const leave = (event: KeyboardEvent) => {
      if (!isWayOut(event)) return;
      event.stopPropagation();
      event.preventDefault();
      wayOut.current?.focus();
    };
    target.addEventListener('keydown', leave, true);
    return () => {
      gone.abort();
      rfb?.disconnect();
      target.removeEventListener('keydown', leave, true);
      target.replaceChildren();
    };
  }, [attempt, id]);

  return (
    <DoorView className="screen-box" box={box} wayOut={wayOut} state={state} onAgain={() => setAttempt(attempt + 1)} />
  );
}
