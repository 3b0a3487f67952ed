// What is shown where there is nothing to show: still loading, failed, empty.

import type { ReactNode } from 'react';
import { ConnectionError, RefusedError } from '../../../sdk/error.ts';
import { Button } from './button.tsx';

interface LoadingProps {
  what: string;
  /** What stands where it will be; the words otherwise. */
  children?: ReactNode;
}

/** While something is read. What takes but a moment shows nothing of it. */
export const Loading = ({ what, children }: LoadingProps) => (
  <div className="loading">
    <p className={children ? 'unseen' : undefined} role="status">
      {what} …
    </p>
    {children}
  </div>
);

interface FailureProps {
  error: Error;
  onRetry?: () => unknown;
}

/** What could not be read or done, in the server's words. */
export const Failure = ({ error, onRetry }: FailureProps) => (
  <div className="note note-bad" role="alert">
    <p>
      {error instanceof ConnectionError
        ? 'Berth can’t be reached. Is it running, and is this machine connected?'
        : error.message}
    </p>
    {error instanceof ConnectionError && <p className="fine">{error.message}</p>}
    {error instanceof RefusedError && (
      <p className="fine">
        {error.code} · request {error.problem.requestId}
      </p>
    )}
    {onRetry && <Button onClick={() => onRetry()}>Try again</Button>}
  </div>
);

/** A page that broke. */
export const Crashed = ({ error }: { error: Error }) => (
  <>
    <h1>Something broke in this page</h1>
    <Failure error={error} onRetry={() => location.reload()} />
  </>
);

/** A path that leads nowhere. */
export const NoSuchPage = () => (
  <>
    <h1>There is no such page</h1>
    <p>
      Begin at the <a href="/">overview</a>.
    </p>
  </>
);

interface EmptyProps {
  title: string;
  /** What such a thing is for, and how one comes to be here. */
  children: ReactNode;
  action?: ReactNode;
}

/** A list that has nothing in it yet: says what it is for and how to begin. */
export const Empty = ({ title, children, action }: EmptyProps) => (
  <div className="empty">
    <h2>{title}</h2>
    <div>{children}</div>
    {action}
  </div>
);
