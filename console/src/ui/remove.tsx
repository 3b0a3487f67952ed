// Asking before something with a name is taken out of its list.

import type { ReactNode } from 'react';
import { useDone } from '../done.ts';
import { Confirm } from './dialog.tsx';

interface RemoveProps {
  name: string;
  remove(): Promise<unknown>;
  /** What is read again then, by the API's nouns. */
  stale: readonly string[];
  onClose(): void;
  /** What will be lost, and whether it can be undone. */
  children: ReactNode;
}

/** The question, and a word on it when it is done. */
export function Remove({ name, remove, stale, onClose, children }: RemoveProps) {
  const done = useDone();
  const confirm = async () => {
    await remove();
    await done(`${name} is removed`, ...stale);
  };
  return (
    <Confirm title={`Remove ${name}?`} act="Remove" onClose={onClose} onConfirm={confirm}>
      {children}
    </Confirm>
  );
}
