// What is around a terminal and a screen: the way out of it, and what became of its door.

import type { RefObject } from 'react';
import { Button } from '../../ui/button.tsx';
import { wayOutWords } from './way-out.ts';

/** How a door stands. */
export type DoorState = { is: 'opening' | 'open' } | { is: 'closed'; why: string };

interface DoorViewProps {
  /** Of the box that is filled once the door is open. */
  className: string;
  box: RefObject<HTMLDivElement | null>;
  /** Where the chord that leads out puts the focus. */
  wayOut: RefObject<HTMLParagraphElement | null>;
  state: DoorState;
  onAgain(): void;
}

/** The box, and beside it what there is to say. */
export const DoorView = ({ className, box, wayOut, state, onAgain }: DoorViewProps) => (
  <div className="terminal">
    {state.is === 'closed' && (
      <div className="note" role="status">
        <p>{state.why}</p>
        <Button onClick={onAgain}>Open it again</Button>
      </div>
    )}
    <div className={className} ref={box} />
    <p className="fine" ref={wayOut} tabIndex={-1}>
      {wayOutWords}
    </p>
    {state.is === 'opening' && <p role="status">Opening …</p>}
  </div>
);
