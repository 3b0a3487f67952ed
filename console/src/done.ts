// What follows when something was done: a word on it, and what it has changed is read again.

import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useToast } from './ui/toast.tsx';

/** Says what was done, and has lists read again by their nouns; resolves when those that are shown are true. */
export function useDone(): (text: string, ...nouns: string[]) => Promise<void> {
  const cache = useQueryClient();
  const say = useToast();
  return useCallback(
    async (text, ...nouns) => {
      say(text);
      await Promise.all(nouns.map((noun) => cache.invalidateQueries({ queryKey: [noun] })));
    },
    [cache, say],
  );
}
