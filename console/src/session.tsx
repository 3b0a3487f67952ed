// Who is signed in, as what, and how the server is called for them.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, lazy, type ReactNode, Suspense, use, useEffect, useMemo, useState } from 'react';
import { Berth } from '../../sdk/berth.ts';
import { ConnectionError } from '../../sdk/error.ts';
import type { Account, Me } from '../../sdk/generated/types.ts';
import { onSignedOut } from './query.ts';
import { Failure, Loading } from './ui/state.tsx';

const SignInPage = lazy(() => import('./pages/sign-in.tsx'));

/** A key that was signed in with; the tab forgets it when it is closed. Sessions are in a cookie that no script can read. */
const keyOfTab = 'berth.api-key';
/** Set while one acts as somebody else: the key that one came with, or '' for the cookie's session. */
const keyBefore = 'berth.key-before';
const chosenAccount = 'berth.account';
/** So many accounts are offered for choosing from; who sees more looks for them in the list of accounts. */
export const accountsShown = 100;
/** A server that is away is asked again so often. */
const againMs = 5_000;

/** What every page may know. */
export interface Session {
  berth: Berth;
  me: Me;
  /** Those that can be chosen. */
  accounts: Account[];
  /** The chosen one; undefined for everything that the caller sees. */
  account: Account | undefined;
  chooseAccount(id: string | undefined): void;
  /** Whether the caller runs the whole. */
  isOperator: boolean;
  signOut(): Promise<void>;
  /** Goes on in this tab as somebody else, whose session's token it is. */
  actAs(token: string): Promise<void>;
  /** Ends that, and goes on as oneself; undefined for who acts as nobody else. */
  stopActing: (() => Promise<void>) | undefined;
}

const SessionContext = createContext<Session | undefined>(undefined);

/** The session of who is signed in. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error('Nobody is signed in here.');
  return session;
}

/** The client of the server for who is signed in. */
export const useBerth = (): Berth => useSession().berth;

const clientFor = (apiKey: string | null) =>
  new Berth({ url: location.origin, ...(apiKey === null ? {} : { apiKey }), attempts: 2 });

/** Shows what is in it to who is signed in, and a way to sign in to everybody else. */
export function SessionGate({ children }: { children: ReactNode }) {
  const cache = useQueryClient();
  const [apiKey, setApiKey] = useState(() => sessionStorage.getItem(keyOfTab));
  const [ended, setEnded] = useState(false);
  const berth = useMemo(() => clientFor(apiKey), [apiKey]);
  const who = useQuery({
    queryKey: ['me', apiKey],
    queryFn: () => berth.me.get(),
    staleTime: Number.POSITIVE_INFINITY,
    // The page comes up by itself when the server does.
    refetchInterval: ({ state }) => (state.error instanceof ConnectionError ? againMs : false),
  });

  useEffect(() => onSignedOut(() => setEnded(true)), []);

  const signIn = async (key: string | null) => {
    sessionStorage.removeItem(keyBefore);
    if (key === null) sessionStorage.removeItem(keyOfTab);
    else sessionStorage.setItem(keyOfTab, key);
    setApiKey(key);
    setEnded(false);
    cache.clear();
    await cache.resetQueries();
  };
  const actAs = async (token: string) => {
    await signIn(token);
    sessionStorage.setItem(keyBefore, apiKey ?? '');
  };
  const stopActing = async () => {
    const before = sessionStorage.getItem(keyBefore);
    // A session that has ended meanwhile needs no end.
    await berth.sessions.deleteCurrent().catch(() => undefined);
    await signIn(before || null);
  };
  const isActing = sessionStorage.getItem(keyBefore) !== null;
  const signOut = async () => {
    if (apiKey === null) await berth.sessions.deleteCurrent();
    sessionStorage.removeItem(keyOfTab);
    sessionStorage.removeItem(keyBefore);
    setApiKey(null);
    cache.clear();
    setEnded(true);
  };

  if (who.isPending) return <Loading what="Signing in" />;
  const isNobody = ended || (who.error !== null && 'status' in who.error && who.error.status === 401);
  if (isNobody) {
    return (
      <Suspense fallback={<Loading what="Loading" />}>
        <SignInPage onSignedIn={signIn} hadSession={who.data !== undefined} />
      </Suspense>
    );
  }
  if (!who.data) return <Outside error={who.error} onRetry={() => who.refetch()} />;
  return (
    <SignedIn berth={berth} me={who.data} {...{ signOut, actAs }} stopActing={isActing ? stopActing : undefined}>
      {children}
    </SignedIn>
  );
}

/** In the place of every page while the server can't be asked who asks. */
const Outside = ({ error, onRetry }: { error: Error; onRetry(): unknown }) => (
  <div className="door">
    <main>
      <div className="page-head">
        <h1>Berth</h1>
      </div>
      <Failure error={error} onRetry={onRetry} />
    </main>
  </div>
);

interface SignedInProps extends Pick<Session, 'berth' | 'me' | 'signOut' | 'actAs' | 'stopActing'> {
  children: ReactNode;
}

function SignedIn({ berth, me, signOut, actAs, stopActing, children }: SignedInProps) {
  const [chosen, setChosen] = useState(() => localStorage.getItem(chosenAccount) ?? undefined);
  const accounts = useQuery({
    queryKey: ['accounts', 'first'],
    queryFn: async () => (await berth.accounts.list({ limit: accountsShown }).page()).items,
  });
  const first = accounts.data ?? [];
  // One that was found by its name among more than are read at once.
  const isBeyond = first.length >= accountsShown && chosen !== undefined && !first.some(({ id }) => id === chosen);
  const beyond = useQuery({
    queryKey: ['accounts', chosen],
    queryFn: () => berth.accounts.get(chosen ?? ''),
    enabled: isBeyond,
  }).data;
  const session = useMemo<Session>(() => {
    const seen = [...(accounts.data ?? []), ...(isBeyond && beyond ? [beyond] : [])];
    return {
      berth,
      me,
      accounts: seen,
      account: seen.find(({ id }) => id === chosen) ?? (seen.length === 1 ? seen[0] : undefined),
      chooseAccount(id) {
        if (id === undefined) localStorage.removeItem(chosenAccount);
        else localStorage.setItem(chosenAccount, id);
        setChosen(id);
      },
      isOperator: me.grants.some(({ level }) => level === 'cluster_admin' || level === 'cluster_su'),
      ...{ signOut, actAs, stopActing },
    };
  }, [berth, me, accounts.data, beyond, isBeyond, chosen, signOut, actAs, stopActing]);
  if (accounts.isPending) return <Loading what="Loading" />;
  if (!accounts.data) return <Outside error={accounts.error} onRetry={() => accounts.refetch()} />;
  return <SessionContext value={session}>{children}</SessionContext>;
}
