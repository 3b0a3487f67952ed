// The top of a page, and parts of one.

import { type ReactNode, useEffect, useId } from 'react';
import { AccessError, NotFoundError } from '../../../sdk/error.ts';
import { Failure, Loading } from './state.tsx';

interface PageProps {
  title: string;
  /** What can be done here. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A page with its title, which the window gets, too. */
export function Page({ title, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Berth`;
  }, [title]);
  return (
    <>
      <div className="page-head">
        <h1>{title}</h1>
        {actions && <div className="buttons">{actions}</div>}
      </div>
      {children}
    </>
  );
}

interface PageOfProps<Thing> {
  /** What it is, as `User`. */
  what: string;
  read: { data: Thing | undefined; error: Error | null; refetch(): unknown };
  children: (thing: Thing) => ReactNode;
  /** The way on where it could not be read. */
  wayOut?: ReactNode;
}

/**
 * A page about one thing. What is shown of it stays while the server is away, so that who fills in a form there loses nothing; not where
 * the server says that it is gone, or no longer theirs.
 */
export function PageOf<Thing>({ what, read: { data, error, refetch }, children, wayOut }: PageOfProps<Thing>) {
  const isGone = error instanceof NotFoundError || error instanceof AccessError;
  if (data !== undefined && !isGone) return children(data);
  return (
    <Page title={what}>
      {error ? <Failure error={error} onRetry={refetch} /> : <Loading what={`Reading the ${what.toLowerCase()}`} />}
      {error && wayOut}
    </Page>
  );
}

/** A part of a page with a title of its own. */
export function Section({ title, actions, children }: PageProps) {
  const id = useId();
  return (
    <section className="card" aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
        {actions && <div className="buttons">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** Names with what they stand for, one under the other. */
export const Facts = ({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) => (
  <dl className="facts">
    {facts.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value ?? '–'}</dd>
      </div>
    ))}
  </dl>
);
