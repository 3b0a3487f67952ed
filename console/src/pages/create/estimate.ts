// What would be made costs, asked for anew as it changes.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Estimate, NewEstimate } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';

/** Who types is left to finish a word. */
const settleMs = 300;

/** A value once it has not changed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), settleMs);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** What the server says of a request that is not made yet. */
export interface Estimated {
  estimate: Estimate | undefined;
  error: Error | null;
  /** Whether what is shown is of the request before this one. */
  isStale: boolean;
}

/** What a request would cost. @param body null where too little is chosen to ask */
export function useEstimate(body: NewEstimate | null): Estimated {
  const berth = useBerth();
  const asked = JSON.stringify(body);
  const settled = useSettled(asked);
  const { data, error, isPlaceholderData, isFetching } = useQuery({
    queryKey: ['estimates', settled],
    queryFn: ({ signal }) => berth.instances.estimate(JSON.parse(settled) as NewEstimate, { signal }),
    enabled: settled !== 'null',
    placeholderData: keepPreviousData,
    gcTime: 60_000,
  });
  return { estimate: data, error, isStale: asked !== settled || isPlaceholderData || (isFetching && !data) };
}
