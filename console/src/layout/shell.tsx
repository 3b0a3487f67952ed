// What is around every page: the way to the others, whose account is looked at, and whether what is shown is live.

import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { type Liveness, useLive } from '../live.ts';
import { accountsShown, useSession } from '../session.tsx';
import { chooseTheme, chosenTheme, type Theme, themes } from '../theme.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { AccountPicker } from '../ui/pickers.tsx';
import { Nav } from './nav.tsx';

/** The page around the pages. */
export function Shell() {
  const liveness = useLive();
  const [isNavOpen, setNavOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const isFirst = useRef(true);

  // Who uses a keyboard or a screen reader is told of the new page, and begins at its top.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what it is about
  useEffect(() => {
    setNavOpen(false);
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);

  useLeave(isNavOpen, '#nav, .nav-toggle', '.nav-toggle', () => setNavOpen(false));

  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="topbar">
        <button
          type="button"
          className="icon-button nav-toggle"
          aria-expanded={isNavOpen}
          aria-controls="nav"
          aria-label="Menu"
          onClick={() => setNavOpen(!isNavOpen)}
        >
          <Icon name={isNavOpen ? 'close' : 'menu'} />
        </button>
        <Link to="/" className="brand">
          <img src="/console/favicon.svg" alt="" width="24" height="24" />
          Berth
        </Link>
        <AccountChooser />
        <LiveMark liveness={liveness} />
        <Who />
      </header>
      <div className={isNavOpen ? 'nav-pane open' : 'nav-pane'} id="nav">
        <Nav />
      </div>
      <main id="main" ref={main} tabIndex={-1}>
        <Acting />
        {liveness === 'offline' && (
          <p className="note note-busy offline" role="status">
            Berth can’t be reached. What you see may be out of date; this page tries again by itself.
          </p>
        )}
        <Outlet />
      </main>
    </div>
  );
}

/**
 * Closes what lies over the page by Escape, and by pressing beside it.
 * @param inside what belongs to it
 * @param opener what has the focus after Escape
 */
function useLeave(isOpen: boolean, inside: string, opener: string, close: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what closes it does the same each time
  useEffect(() => {
    if (!isOpen) return;
    const listening = new AbortController();
    const { signal } = listening;
    const press = ({ target }: Event) => {
      if (target instanceof Element && !target.closest(inside)) close();
    };
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      close();
      document.querySelector<HTMLElement>(opener)?.focus();
    };
    document.addEventListener('pointerdown', press, { signal });
    document.addEventListener('keydown', key, { signal });
    return () => listening.abort();
  }, [isOpen, inside, opener]);
}

/** Says that one acts as somebody else, and leads back. */
function Acting() {
  const { me, stopActing } = useSession();
  if (!stopActing) return null;
  return (
    <div className="note note-busy acting" role="status">
      <p>
        In this tab you act as <strong>{me.user?.username ?? me.actor}</strong>.
      </p>
      <Button onClick={() => void stopActing()}>Stop acting</Button>
    </div>
  );
}

function AccountChooser() {
  const { accounts, account, chooseAccount } = useSession();
  if (accounts.length < 2) return <span className="account-name">{account?.name}</span>;
  if (accounts.length >= accountsShown) {
    return (
      <div className="account-chooser">
        <AccountPicker
          label="Account"
          none="All accounts"
          value={account?.id ?? ''}
          error={undefined}
          onChange={(id) => chooseAccount(id || undefined)}
        />
      </div>
    );
  }
  return (
    <select
      className="account-chooser"
      aria-label="Account"
      value={account?.id ?? ''}
      onChange={(event) => chooseAccount(event.target.value || undefined)}
    >
      <option value="">All accounts</option>
      {accounts.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

const liveWords: Record<Liveness, string> = {
  connecting: 'Connecting',
  live: 'Live',
  polling: 'Every 5 s',
  offline: 'Offline',
};

function LiveMark({ liveness }: { liveness: Liveness }) {
  return (
    <span className={`live live-${liveness}`} role="status" title="Whether this page follows the event stream">
      {liveWords[liveness]}
    </span>
  );
}

function Who() {
  const { me, signOut } = useSession();
  const [theme, setTheme] = useState(chosenTheme);
  const [isOpen, setOpen] = useState(false);
  useLeave(isOpen, '.who', '.who summary', () => setOpen(false));
  const choose = (chosen: Theme) => {
    chooseTheme(chosen);
    setTheme(chosen);
  };
  return (
    <details
      className="who"
      open={isOpen}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (relatedTarget && !currentTarget.contains(relatedTarget)) setOpen(false);
      }}
    >
      <summary>
        <Icon name="user" />
        <span className="unseen">You: </span>
        <span className="who-name">{me.user?.username ?? me.actor}</span>
      </summary>
      <div className="who-menu">
        <fieldset>
          <legend>Theme</legend>
          {themes.map((one) => (
            <label key={one}>
              <input type="radio" name="theme" checked={theme === one} onChange={() => choose(one)} /> {one}
            </label>
          ))}
        </fieldset>
        <Link to="/console/me" onClick={() => setOpen(false)}>
          Your profile
        </Link>
        <a href="/docs/guide/">Guide</a>
        <a href="/docs">API reference</a>
        <Button onClick={() => void signOut()}>Sign out</Button>
      </div>
    </details>
  );
}
