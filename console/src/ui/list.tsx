// A list of the server's as it comes: page by page as one scrolls, with what is shown while there is nothing to show.

import { type InfiniteData, keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useMemo } from 'react';
import type { Page, Pages } from '../../../sdk/pages.ts';
import { Button } from './button.tsx';
import { Failure, Loading } from './state.tsx';
import { type Column, SkeletonTable, Table } from './table.tsx';

/** A list that is read. */
export interface ListState<Row> {
  rows: Row[];
  isPending: boolean;
  /** Whether what is shown is of the question before this one. */
  isStale: boolean;
  error: Error | null;
  hasMore: boolean;
  more(): void;
  retry(): void;
}

/** Reads a list under a key that begins with its noun: see query.ts. */
export function useList<Row>(key: readonly unknown[], pages: () => Pages<Row>): ListState<Row> {
  const query = useInfiniteQuery<Page<Row>, Error, InfiniteData<Page<Row>>, readonly unknown[], string | undefined>({
    queryKey: key,
    queryFn: ({ pageParam }) => pages().page(pageParam),
    initialPageParam: undefined,
    getNextPageParam: ({ items, nextCursor }) => (items.length > 0 ? (nextCursor ?? undefined) : undefined),
    placeholderData: keepPreviousData,
  });
  const { fetchNextPage, isFetchingNextPage, hasNextPage, refetch } = query;
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const retry = useCallback(() => void refetch(), [refetch]);
  return {
    ...{ rows, more, retry, error: query.error, hasMore: hasNextPage },
    ...{ isPending: query.isPending, isStale: query.isPlaceholderData },
  };
}

interface ListProps<Row> {
  label: string;
  list: ListState<Row>;
  columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** What stands there where the list has nothing. */
  empty: ReactNode;
}

/** Shows a list, and reads on as its end comes into sight. */
export function List<Row>({ label, list, columns, keyOf, empty }: ListProps<Row>) {
  const { rows, isPending, isStale, error, hasMore, more, retry } = list;
  if (isPending) {
    return (
      <Loading what={`Reading ${label.toLowerCase()}`}>
        <SkeletonTable columns={columns} />
      </Loading>
    );
  }
  if (error && rows.length === 0) return <Failure error={error} onRetry={retry} />;
  if (rows.length === 0) return empty;
  return (
    <div className={isStale ? 'stale' : undefined}>
      {error && <Failure error={error} onRetry={retry} />}
      <Table label={label} rows={rows} columns={columns} keyOf={keyOf} onEnd={more} />
      {hasMore && (
        <p className="more">
          <Button onClick={more}>Show more</Button>
        </p>
      )}
    </div>
  );
}
