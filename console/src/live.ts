// Keeps what is shown true: reads the event stream, and has read again what an event has changed. Whoever may not read the stream (a
// user of a single VM, say) asks again every few seconds instead.

import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { AccessError } from '../../sdk/error.ts';
import type { Event, Instance } from '../../sdk/generated/types.ts';
import { addToFeeds } from './event-feed.ts';
import { useSession } from './session.tsx';

/** How what is shown is kept true. */
export type Liveness = 'connecting' | 'live' | 'polling' | 'offline';

/** What no list shows unless it is asked for. */
const hiddenStatuses: ReadonlySet<Instance['status']> = new Set(['soft-deleted', 'deleting', 'deleted']);
/** For who may not read the stream. */
const pollMs = 5_000;
/** A stream that breaks off is most often open again in less. */
const patienceMs = 2_000;
/** Events of one moment are looked up together. */
const gatherMs = 30;

/** Which lists an event makes stale, by the first word of its kind; its instance is looked up besides. */
const staleBy: Record<string, readonly string[]> = {
  account: ['accounts', 'balance', 'estimates', 'transactions', 'statement', 'ledger', 'revenue'],
  'api-key': ['api-keys'],
  backup: ['backups', 'disks'],
  configuration: ['configurations', 'offers', 'capacity'],
  datacenter: ['datacenters', 'hosts'],
  disk: ['disks', 'backups', 'backup-schedules'],
  group: ['groups'],
  host: ['hosts', 'offers', 'capacity'],
  image: ['images'],
  instance: [
    'statement',
    'transactions',
    'instance-counts',
    'addresses',
    'operations',
    'deployments',
    'balance',
    'hosts',
  ],
  ledger: ['balance', 'estimates', 'transactions', 'statement', 'ledger'],
  offer: ['offers', 'capacity', 'estimates'],
  orphan: ['orphans', 'hosts'],
  'own-image': ['images'],
  price: ['prices'],
  privilege: ['privileges', 'users'],
  quote: ['quotes', 'offers', 'capacity'],
  slot: ['slots', 'estimates'],
  'ssh-key': ['ssh-keys'],
  user: ['users', 'privileges'],
  vm: ['instance-counts', 'operations', 'addresses'],
  webhook: ['webhooks'],
};

/** Follows the event stream for as long as the page is shown. */
export function useLive(): Liveness {
  const { berth, account, isOperator } = useSession();
  const cache = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>('connecting');
  const wasOpen = useRef(false);
  const said = useRef<ReturnType<typeof setTimeout>>(undefined);
  const isConnected = useConnected();
  const accountId = account?.id;
  useEffect(() => {
    if (!isConnected) {
      setLiveness('offline');
      return;
    }
    const ended = new AbortController();
    const { signal } = ended;
    const refresh = makeRefresh(cache, (id) => berth.instances.get(id));
    const follow = async () => {
      // Who runs the whole looks at hosts, too, whichever account is chosen.
      const query = isOperator ? { all: true } : { account: accountId };
      const onOpen = () => {
        clearTimeout(said.current);
        said.current = undefined;
        setLiveness('live');
        // What happened while there was no stream.
        if (wasOpen.current) void cache.invalidateQueries();
        wasOpen.current = true;
      };
      const onBreak = () => {
        said.current ??= setTimeout(() => setLiveness('offline'), patienceMs);
      };
      for await (const event of berth.events.stream(query, { signal, onOpen, onBreak })) {
        refresh(event);
      }
    };
    follow().catch((error: unknown) => {
      if (signal.aborted || !(error instanceof AccessError)) return;
      setLiveness('polling');
      const timer = setInterval(() => void cache.invalidateQueries(), pollMs);
      signal.addEventListener('abort', () => clearInterval(timer));
    });
    return () => {
      ended.abort();
      clearTimeout(said.current);
      said.current = undefined;
    };
  }, [berth, cache, accountId, isOperator, isConnected]);
  return liveness;
}

/** Whether the machine has a network at all, as its browser knows it. */
function useConnected(): boolean {
  return useSyncExternalStore(
    (tell) => {
      addEventListener('online', tell);
      addEventListener('offline', tell);
      return () => {
        removeEventListener('online', tell);
        removeEventListener('offline', tell);
      };
    },
    () => navigator.onLine,
  );
}

/** What makes stale what an event is about, and puts a changed instance wherever it is shown. */
function makeRefresh(cache: QueryClient, read: (id: string) => Promise<Instance>): (event: Event) => void {
  const instances = new Set<string>();
  const nouns = new Set<string>();
  let happened: Event[] = [];
  const flush = () => {
    addToFeeds(cache, happened);
    happened = [];
    void cache.invalidateQueries({ queryKey: ['events'], predicate: ({ queryKey }) => queryKey[1] !== 'feed' });
    for (const noun of nouns) void cache.invalidateQueries({ queryKey: [noun] });
    for (const id of instances) void refreshInstance(cache, id, read);
    nouns.clear();
    instances.clear();
  };
  return (event) => {
    const { kind, instance } = event;
    const word = kind.split('.', 1)[0] ?? '';
    for (const noun of staleBy[word] ?? []) nouns.add(noun);
    if (instance) instances.add(instance);
    happened.push(event);
    if (happened.length === 1) setTimeout(flush, gatherMs);
  };
}

async function refreshInstance(cache: QueryClient, id: string, read: (id: string) => Promise<Instance>): Promise<void> {
  const instance = await read(id).catch(() => undefined);
  void cache.invalidateQueries({ queryKey: ['instances', id], predicate: ({ queryKey }) => queryKey.length > 2 });
  if (!instance) {
    void cache.invalidateQueries({ queryKey: ['instances'] });
    return;
  }
  cache.setQueryData(['instances', id], instance);
  let isShown = false;
  cache.setQueriesData<{ pages: { items: Instance[] }[] }>({ queryKey: ['instances', 'list'] }, (list) => {
    if (!list) return list;
    return {
      ...list,
      pages: list.pages.map((page) => {
        if (!page.items.some((one) => one.id === id)) return page;
        isShown = true;
        return { ...page, items: page.items.map((one) => (one.id === id ? instance : one)) };
      }),
    };
  });
  // Where it may have come into a list or have gone out of it, the server says what the list is now.
  const isHidden = hiddenStatuses.has(instance.status);
  void cache.invalidateQueries({
    queryKey: ['instances', 'list'],
    predicate: ({ queryKey: [, , filter] }) => !isShown || isHidden || hasStatus(filter),
  });
}

const hasStatus = (filter: unknown) => typeof filter === 'object' && filter !== null && 'status' in filter;
