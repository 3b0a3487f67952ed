// What follows when something was done: a word on it, and what it has changed is read again.

import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useToast } from './ui/toast.tsx';

/** Has what is shown of some nouns read again; resolves when it is true. */
export function useRefresh(): (...nouns: string[]) => Promise<void> {
  const cache = useQueryClient();
  return useCallback(
    async (...nouns) => {
      await Promise.all(nouns.map((noun) => cache.invalidateQueries({ queryKey: [noun] })));
    },
    [cache],
  );
}

/** Says what was done, and has nouns read again. */
export function useDone(): (text: string, ...nouns: string[]) => Promise<void> {
  const refresh = useRefresh();
  const say = useToast();
  return useCallback(
    (text, ...nouns) => {
      say(text);
      return refresh(...nouns);
    },
    [refresh, say],
  );
}
