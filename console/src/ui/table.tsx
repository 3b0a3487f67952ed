// Lists. Only the rows that can be seen are in the page, so ten thousand of them cost no more than fifty. On a phone each row is a card.

import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

/** A column of a list. */
export interface Column<Row> {
  title: string;
  /** What stands at its top in the title's place. */
  head?: ReactNode;
  cell(row: Row): ReactNode;
  /** Figures stand at the right. */
  numeric?: boolean;
}

interface TableProps<Row> {
  /** What the list is of, for who can't see it. */
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** Is called when the end comes into sight. */
  onEnd?: (() => void) | undefined;
}

const rowHeightPx = 45;
const overscan = 12;
/** Short lists are in the page whole, which browsers' own search finds. */
const virtualFrom = 100;

/** A list as a table. */
export function Table<Row>(props: TableProps<Row>) {
  return props.rows.length < virtualFrom ? <WholeTable {...props} /> : <VirtualTable {...props} />;
}

function WholeTable<Row>({ label, rows, columns, keyOf }: TableProps<Row>) {
  return (
    <div className="table-box">
      <table aria-label={label}>
        <Head columns={columns} />
        <tbody>
          {rows.map((row) => (
            <Cells key={keyOf(row)} row={row} columns={columns} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function VirtualTable<Row>({ label, rows, columns, keyOf, onEnd }: TableProps<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => setScrollMargin(box.current?.offsetTop ?? 0), []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeightPx,
    overscan,
    scrollMargin,
  });
  const shown = virtual.getVirtualItems();
  const above = (shown[0]?.start ?? scrollMargin) - scrollMargin;
  const below = virtual.getTotalSize() - ((shown.at(-1)?.end ?? scrollMargin) - scrollMargin);
  const isAtEnd = (shown.at(-1)?.index ?? 0) >= rows.length - overscan;
  useLayoutEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, onEnd]);
  return (
    <div className="table-box" ref={box}>
      <table aria-label={label} aria-rowcount={rows.length + 1}>
        <Head columns={columns} />
        <tbody>
          {above > 0 && <Spacer height={above} />}
          {shown.map(({ index }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <Cells
                key={keyOf(row)}
                row={row}
                columns={columns}
                index={index}
                measure={(element) => virtual.measureElement(element)}
              />
            );
          })}
          {below > 0 && <Spacer height={below} />}
        </tbody>
      </table>
    </div>
  );
}

/** In place of the rows that can't be seen. */
// biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without a tabIndex takes no focus
const Spacer = ({ height }: { height: number }) => <tr aria-hidden="true" className="spacer" style={{ height }} />;

const Head = <Row,>({ columns }: { columns: readonly Column<Row>[] }) => (
  <thead>
    <tr>
      {columns.map(({ title, head, numeric }) => (
        <th key={title} scope="col" data-title={title} className={numeric ? 'numeric' : undefined}>
          {head ?? title}
        </th>
      ))}
    </tr>
  </thead>
);

interface CellsProps<Row> {
  row: Row;
  columns: readonly Column<Row>[];
  index?: number;
  measure?: (element: HTMLTableRowElement | null) => void;
}

const Cells = <Row,>({ row, columns, index, measure }: CellsProps<Row>) => (
  <tr ref={measure} data-index={index} {...(index === undefined ? {} : { 'aria-rowindex': index + 2 })}>
    {columns.map(({ title, cell, numeric }) => {
      const shown = cell(row);
      return (
        <td
          key={title}
          data-title={title}
          data-nothing={isNothing(shown) || undefined}
          className={numeric ? 'numeric' : undefined}
        >
          {shown}
        </td>
      );
    })}
  </tr>
);

/** Whether a cell says that there is nothing; a card leaves it out. */
const isNothing = (shown: ReactNode): boolean =>
  shown === '–' || shown === '' || shown === null || shown === undefined || shown === false;

/** So many rows stand in for those that are on their way. */
const skeletonRows = 5;

/** A list whose rows are on their way: where they will stand, so that nothing jumps when they come. */
export const SkeletonTable = <Row,>({ columns }: { columns: readonly Column<Row>[] }) => (
  <div className="table-box" aria-hidden="true">
    <table>
      <thead>
        <tr>
          {columns.map(({ title, numeric }) => (
            <th key={title} className={numeric ? 'numeric' : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {Array.from({ length: skeletonRows }, (_none, row) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
          <tr key={row} className="skeleton">
            {columns.map(({ title }) => (
              <td key={title} data-title={title} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
