// What an account has, for the pages that show prices: how long an epoch is stands there, too.

import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Balance } from '../../sdk/generated/types.ts';
import { useSession } from './session.tsx';

const daySeconds = 86_400;

/** The balance of an account; of the chosen one unless another is named. Who may not see it gets an error. */
export function useBalance(accountId?: string): UseQueryResult<Balance> {
  const { berth, account } = useSession();
  const id = accountId ?? account?.id;
  return useQuery({
    queryKey: ['balance', id],
    queryFn: () => berth.money.getBalance(id ?? ''),
    enabled: id !== undefined,
  });
}

/** How long an epoch is that prices are for, in seconds; a day where the caller can't find out. */
export function useEpochSeconds(): number {
  const { accounts } = useSession();
  return useBalance(useSession().account?.id ?? accounts[0]?.id).data?.epochSeconds ?? daySeconds;
}
