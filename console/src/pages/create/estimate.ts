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

/**
 * What would be refused if it were made now: the request itself as a dry run, which looks at names and at what is held, too.
 * @param body null where too little is chosen to ask
 */
export function useTrial(body: (NewEstimate & { quote?: string | undefined }) | null): {
  error: Error | null;
  isStale: boolean;
} {
  const berth = useBerth();
  const asked = JSON.stringify(body);
  const settled = useSettled(asked);
  const { error, isFetching } = useQuery({
    queryKey: ['estimates', 'trial', settled],
    queryFn: async ({ signal }) => {
      const { kind, count = 1, ...rest } = JSON.parse(settled) as NonNullable<typeof body>;
      const options = { signal, dryRun: true };
      if (count === 1) await berth.instances.create({ kind, ...rest }, options);
      else await berth.deployments.create({ ...rest, count }, options);
      return true;
    },
    enabled: settled !== 'null',
    gcTime: 60_000,
  });
  return { error, isStale: asked !== settled || isFetching };
}
