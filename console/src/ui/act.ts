// What is done by pressing a button that belongs to no form: it is busy meanwhile, and how it went is said at the edge of the page.

import { useState } from 'react';
import { noteError } from '../query.ts';
import { useToast } from './toast.tsx';

/**
 * Does things one at a time.
 * @returns whether one is being done, and what does one: `done` is said when it went well, the server's words when it did not
 */
export function useAct(): [busy: boolean, act: (work: () => Promise<unknown>, done: string) => Promise<void>] {
  const [busy, setBusy] = useState(false);
  const say = useToast();
  const act = async (work: () => Promise<unknown>, done: string) => {
    if (busy) return;
    setBusy(true);
    try {
      await work();
      say(done);
    } catch (caught) {
      noteError(caught);
      say((caught as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return [busy, act];
}
