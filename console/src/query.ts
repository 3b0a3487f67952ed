// What was read of the server, kept while it is true. Keys begin with the plural noun of the API, so that an event can say by its
// kind what is no longer true: see live.ts.

import { QueryCache, QueryClient } from '@tanstack/react-query';
import { AccessError, RefusedError } from '../../sdk/error.ts';

type Listener = () => void;
const listeners = new Set<Listener>();

/** Is told when the server no longer knows who asks. */
export function onSignedOut(listener: Listener): Listener {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const isSignedOut = (error: unknown) => error instanceof AccessError && error.status === 401;

/** Tells those who wait for it where an error says that nobody is signed in. */
export function noteError(error: unknown): void {
  if (isSignedOut(error)) for (const listener of listeners) listener();
}

/** The one cache of the page. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noteError }),
  defaultOptions: {
    queries: {
      // The event stream says when something has changed; this is for what it does not tell of.
      staleTime: 30_000,
      // The SDK has tried again already.
      retry: false,
      throwOnError: false,
      refetchOnWindowFocus: (query) => !(query.state.error instanceof RefusedError),
    },
  },
});
