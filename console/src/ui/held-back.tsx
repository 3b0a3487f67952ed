// Lists that grow at their top: while one reads further down nothing moves, and a button says how much is new.

import { useEffect, useState } from 'react';
import { Button } from './button.tsx';

/** From here on the top of a list is out of sight. */
const awayFromPx = 240;

function useScrolledAway(): boolean {
  const [isAway, setAway] = useState(() => scrollY > awayFromPx);
  useEffect(() => {
    const look = () => setAway(scrollY > awayFromPx);
    addEventListener('scroll', look, { passive: true });
    return () => removeEventListener('scroll', look);
  }, []);
  return isAway;
}

/**
 * The rows that are shown of a list that grows at its top.
 * @param keyOf the same function at each call
 * @returns them, and how many are held back for as long as the top is out of sight
 */
export function useHeldBack<Row>(rows: Row[], keyOf: (row: Row) => string): { shown: Row[]; held: number } {
  const isAway = useScrolledAway();
  const [top, setTop] = useState<string>();
  const first = rows[0] && keyOf(rows[0]);
  useEffect(() => {
    if (!isAway) setTop(first);
  }, [isAway, first]);
  const held =
    isAway && top !== undefined
      ? Math.max(
          0,
          rows.findIndex((row) => keyOf(row) === top),
        )
      : 0;
  return { shown: held > 0 ? rows.slice(held) : rows, held };
}

/** Says how many rows are held back, and leads to them. */
export function HeldBack({ held, what }: { held: number; what: string }) {
  const toTop = () => {
    scrollTo({ top: 0 });
    document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
  };
  return (
    <div className="held-back" role="status">
      {held > 0 && (
        <Button variant="primary" onClick={toTop}>
          {held.toLocaleString('en-US')} new {what}
        </Button>
      )}
    </div>
  );
}
