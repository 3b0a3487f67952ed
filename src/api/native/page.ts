// Lists come in pages: `?limit=50&cursor=…`, and each page tells the cursor of the next. A cursor is the sort key of the last row seen,
// so nothing is skipped or shown twice when rows come and go between two pages.

import Type, { type TSchema } from 'typebox';
import { BerthError, shown } from '../../model/errors.ts';
import { Nullable, Shape } from './shape.ts';

/** Rows of a page unless asked otherwise, and at most. */
const defaultLimit = 50;
export const limitMax = 200;

/** The fields of a query that say which page is wanted. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: limitMax, default: defaultLimit, description: 'Rows at most', examples: [50] }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 500, description: '`nextCursor` of the page before, unchanged; left out for the first' }),
  ),
};

/** The schema of a page of things. @param title such as `Groups` */
export const PageOf = <Item extends TSchema>(title: string, item: Item) =>
  Shape(title, {
    items: Type.Array(item),
    nextCursor: Nullable(Type.String({ description: 'Where to go on; null on the last page', examples: ['WyIxNyJd'] })),
  });

/** Which page is asked for: how many rows, and the sort key of the row before the first of them. */
export interface Window {
  limit: number;
  after: string[] | null;
}

/**
 * Reads which page is asked for.
 * @param parts how many parts the list's sort key has
 * @param isKey whether such parts can be one of its keys, where not every text can
 * @throws BerthError `invalid_value` for a cursor that this list has not given
 */
export function readWindow(
  { limit = defaultLimit, cursor }: { limit?: number; cursor?: string },
  parts: number,
  isKey: (parts: readonly string[]) => boolean = () => true,
): Window {
  if (cursor === undefined) return { limit, after: null };
  const after = parseCursor(cursor);
  if (after?.length === parts && isKey(after)) return { limit, after };
  throw new BerthError(
    'invalid_value',
    `cursor is ${shown(cursor)}; pass nextCursor of the page before, unchanged.`,
    'cursor',
  );
}

/** Which page is asked for of a list that is sorted by a moment and then by id. */
export interface MomentWindow {
  limit: number;
  /** The last row of the page before: its moment in ISO form, and its id. */
  after: { at: string; id: string } | null;
}

/**
 * {@link readWindow} of a list that is sorted by a moment and then by id.
 * @param isId whether the database can be asked for an id
 */
export function readMomentWindow(
  query: { limit?: number; cursor?: string },
  isId: (text: string) => boolean,
): MomentWindow {
  const isMoment = (at: string) => {
    const parsed = new Date(at);
    // As `toISOString` writes it, and within the years that PostgreSQL takes.
    return /^[1-9]\d{3}-/.test(at) && !Number.isNaN(parsed.getTime()) && parsed.toISOString() === at;
  };
  const { limit, after } = readWindow(query, 2, ([at = '', id = '']) => isMoment(at) && isId(id));
  if (after === null) return { limit, after };
  const [at = '', id = ''] = after;
  return { limit, after: { at, id } };
}

/** {@link readWindow} of a list that is sorted by one number. */
export function readNumberWindow(query: { limit?: number; cursor?: string }): { limit: number; after: bigint | null } {
  const { limit, after } = readWindow(query, 1, ([number = '']) => /^\d{1,18}$/.test(number));
  return { limit, after: after === null ? null : BigInt(after[0] ?? 0) };
}

function parseCursor(cursor: string): string[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const isKey = Array.isArray(parts) && parts.every((part) => typeof part === 'string' && !part.includes('\0'));
    return isKey ? (parts as string[]) : null;
  } catch {
    return null;
  }
}

/**
 * A page of rows. The list reads one row more than is shown, which tells whether another page follows.
 * @param rows at most `limit` + 1 of them
 * @param keyOf a row's sort key, in as many parts as {@link readWindow} was told
 */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => (string | bigint | Date)[],
  toItem: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shownRows = rows.slice(0, limit);
  const last = rows.length > limit ? shownRows.at(-1) : undefined;
  return { items: shownRows.map(toItem), nextCursor: last === undefined ? null : toCursor(keyOf(last)) };
}

const toCursor = (key: readonly (string | bigint | Date)[]): string =>
  Buffer.from(JSON.stringify(key.map((part) => (part instanceof Date ? part.toISOString() : String(part))))).toString(
    'base64url',
  );

/**
 * A page of a list that is short by its nature and read whole; `keyOf` tells its rows apart. Where the last row of the page before
 * is gone by now, it goes on where that stood.
 */
export function pageOfAll<Row, Item>(
  rows: readonly Row[],
  query: { limit?: number; cursor?: string },
  keyOf: (row: Row) => string,
  toItem: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const { limit, after } = readWindow(query, 2, ([, place = '']) => /^\d{1,9}$/.test(place));
  const [key, place] = after ?? [];
  const index = key === undefined ? -1 : rows.findIndex((row) => keyOf(row) === key);
  const begin = index === -1 ? Number(place ?? 0) : index + 1;
  const keyed = rows.slice(begin).map((row, offset) => ({ row, place: begin + offset }));
  return toPage(
    keyed,
    limit,
    (one) => [keyOf(one.row), String(one.place)],
    ({ row }) => toItem(row),
  );
}
