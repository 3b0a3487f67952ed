// What a page is narrowed to. It is kept in the page's address, so that it can be shared, loaded again and gone back to.

import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

/** Filters by name; what does not narrow is ''. */
export type Filters<Name extends string> = Record<Name, string>;

/**
 * Filters of the page's address, and how they are changed. What is typed letter by letter replaces the address, so that Back leads to
 * the page before.
 * @param names the same array at each call
 */
export function useFilters<const Name extends string>(
  names: readonly Name[],
): [Filters<Name>, (change: Partial<Filters<Name>>, options?: { replace?: boolean }) => void] {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const filters = useMemo(
    () => Object.fromEntries(names.map((name) => [name, String(search[name] ?? '')])) as Filters<Name>,
    [names, search],
  );
  const narrow = useCallback(
    (change: Partial<Filters<Name>>, { replace = true } = {}) =>
      void navigate({
        to: '.',
        search: (before: Record<string, unknown>) => given({ ...before, ...change }) as never,
        replace,
        resetScroll: false,
      }),
    [navigate],
  );
  return [filters, narrow];
}

/** Without what is ''. */
export function given<Values extends Record<string, unknown>>(values: Values): Partial<Values> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')) as Partial<Values>;
}

/** What the router reads an address's query as: texts by name, which nothing else is made of. */
export const parseSearch = (text: string): Record<string, string> => Object.fromEntries(new URLSearchParams(text));

/** The way back. */
export function stringifySearch(search: Record<string, unknown>): string {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}
