// Lists of events, which grow at their top as events happen: nothing that is shown already is read again.

import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { Event } from '../../sdk/generated/types.ts';
import type { Page } from '../../sdk/pages.ts';

/** Which events a list has; '' narrows nothing. */
export interface FeedFilter {
  /** Undefined for all accounts'. */
  account: string | undefined;
  kind: string;
  instance: string;
}

/** The key of such a list. */
export const feedKey = (filter: FeedFilter): readonly unknown[] => ['events', 'feed', filter];

/** Past so many, the top of a list is read again in place of growing on, so that a page that is left open does not. */
const topMax = 1_000;

const isIn = (event: Event, { account, kind, instance }: FeedFilter): boolean =>
  (account === undefined || event.account === account) &&
  (kind === '' || event.kind === kind || event.kind.startsWith(`${kind}.`)) &&
  (instance === '' || event.instance === instance);

/** Puts events at the top of the lists that have them. @param events the oldest first */
export function addToFeeds(cache: QueryClient, events: readonly Event[]): void {
  const newestFirst = events.toReversed();
  for (const query of cache.getQueryCache().findAll({ queryKey: ['events', 'feed'] })) {
    const filter = query.queryKey[2] as FeedFilter;
    const added = newestFirst.filter((event) => isIn(event, filter));
    if (added.length === 0) continue;
    const known = query.state.data as InfiniteData<Page<Event>> | undefined;
    const [first, ...rest] = known?.pages ?? [];
    // What is on its way may have been read before these happened.
    if (!known || !first || query.state.fetchStatus === 'fetching' || first.items.length > topMax) {
      void cache.invalidateQueries({ queryKey: query.queryKey, exact: true });
      continue;
    }
    const cursors = new Set(first.items.map(({ cursor }) => cursor));
    const items = [...added.filter(({ cursor }) => !cursors.has(cursor)), ...first.items];
    cache.setQueryData(query.queryKey, { ...known, pages: [{ ...first, items }, ...rest] });
  }
}
