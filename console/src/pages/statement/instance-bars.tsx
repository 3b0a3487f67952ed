// What each instance cost in a month, the dearest first, and what else moved.

import { Link } from '@tanstack/react-router';
import type { Statement } from '../../../../sdk/generated/types.ts';
import { usd } from '../../format.ts';
import { instancePath } from '../../paths.ts';
import { Facts } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';

interface Row {
  id: string;
  name: string;
  spent: number;
  share: number;
}

type Line = Statement['lines'][number];

/** What was taken by charges, less what was given back. */
const spentIn = ({ availableMoved, heldMoved }: Line): number => -(Number(availableMoved) + Number(heldMoved));

function rowsOf({ lines }: Statement): Row[] {
  const paid = lines.filter(({ kind, instance }) => instance !== null && (kind === 'charge' || kind === 'refund'));
  const byInstance = [...Map.groupBy(paid, ({ instance }) => instance ?? '')].map(([id, own]) => ({
    id,
    name: own[0]?.instanceName ?? id,
    spent: own.reduce((sum, line) => sum + spentIn(line), 0),
  }));
  const most = Math.max(...byInstance.map(({ spent }) => spent), 0);
  const rows = byInstance.map((row) => ({ ...row, share: most > 0 ? Math.max(0, row.spent) / most : 0 }));
  return rows.sort((one, other) => other.spent - one.spent);
}

const columns: Column<Row>[] = [
  { title: 'Instance', cell: ({ id, name }) => <Link to={instancePath(id)}>{name}</Link> },
  {
    title: 'Share',
    cell: ({ share }) => (
      <span className="meter share-of" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
    ),
  },
  { title: 'Spent', numeric: true, cell: ({ spent }) => usd(spent) },
];

/** The list, between the balance before and the one after. */
export function InstanceBars({ statement }: { statement: Statement }) {
  const rows = rowsOf(statement);
  const sumOf = (kind: Line['kind']) =>
    usd(
      String(
        statement.lines
          .filter((line) => line.kind === kind)
          .reduce((sum, line) => sum + Number(line.availableMoved), 0),
      ),
    );
  return (
    <>
      <div className="statement-sums">
        <Facts
          facts={[
            ['Balance before', usd(statement.opening.available)],
            ['Credits', sumOf('credit')],
            ['Debits', sumOf('debit')],
            ['Balance after', usd(statement.closing.available)],
          ]}
        />
      </div>
      {rows.length === 0 ? (
        <p className="fine">No instance was charged for in this month.</p>
      ) : (
        <Table label="Spent by instance" rows={rows} columns={columns} keyOf={({ id }) => id} />
      )}
    </>
  );
}
