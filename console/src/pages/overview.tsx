// What one sees first: what it costs, what is up and what is not, what has just happened, and how one begins.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { createPath } from '../paths.ts';
import { useSession } from '../session.tsx';
import { Page } from '../ui/page.tsx';
import { Failure } from '../ui/state.tsx';
import { FirstSteps } from './overview/first-steps.tsx';
import { FailedLately, Health } from './overview/health.tsx';
import { LatestEvents } from './overview/latest-events.tsx';
import { MoneyCards } from './overview/money-cards.tsx';
import { OperatorCards } from './overview/operator-cards.tsx';
import './overview/overview.css';

/** The first page. */
export default function OverviewPage() {
  const { berth, account, accounts, isOperator } = useSession();
  const counts = useQuery({
    queryKey: ['instance-counts', account?.id],
    queryFn: () => berth.instances.count(account ? { account: account.id } : {}),
  });
  const items = counts.data?.items ?? [];
  const isEmpty = counts.data !== undefined && items.length === 0;
  // Where there is one account alone, its operator looks at both.
  const seesAll = isOperator && (!account || accounts.length === 1);
  return (
    <Page
      title="Overview"
      actions={
        <Link className="button button-primary" to={createPath}>
          Create
        </Link>
      }
    >
      {seesAll && <OperatorCards />}
      {account && <MoneyCards />}
      {!account && !isOperator && accounts.length > 1 && (
        <p className="note">Choose an account above to see what it has and spends.</p>
      )}
      {counts.error && <Failure error={counts.error} onRetry={() => counts.refetch()} />}
      {isEmpty && account ? <FirstSteps /> : <Health items={items} />}
      <FailedLately />
      {(account || seesAll) && <LatestEvents seesAll={seesAll} />}
    </Page>
  );
}
