// What an account has and where it went: its balance, what each day and each instance of a month cost, and every transaction.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { AccessError } from '../../../sdk/error.ts';
import { useFilters } from '../filters.ts';
import { ChooseAccount } from '../layout/choose-account.tsx';
import { save } from '../save.ts';
import { useSession } from '../session.tsx';
import { useAct } from '../ui/act.ts';
import { Button } from '../ui/button.tsx';
import { SelectField } from '../ui/form.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Failure, Loading } from '../ui/state.tsx';
import { MoneyCards } from './overview/money-cards.tsx';
import { DayBars } from './statement/day-bars.tsx';
import { InstanceBars } from './statement/instance-bars.tsx';
import { lastMonths, monthName, spanOf } from './statement/month.ts';
import { Transactions } from './statement/transactions.tsx';
import './statement/statement.css';

const names = ['month'] as const;

/** The page. */
export default function StatementPage() {
  const { berth, account } = useSession();
  const [{ month: chosen }, narrow] = useFilters(names);
  const [months] = useState(() => lastMonths(new Date()));
  const month = /^\d{4}-(0[1-9]|1[0-2])$/.test(chosen) ? chosen : (months[0] ?? '');
  const [busy, act] = useAct();
  const span = spanOf(month);
  const id = account?.id ?? '';
  const statement = useQuery({
    queryKey: ['statement', id, month],
    queryFn: () => berth.money.getStatement(id, span),
    enabled: account !== undefined,
  });
  const spend = useQuery({
    queryKey: ['statement', id, month, 'days'],
    queryFn: () => berth.money.getSpend(id, span),
    enabled: account !== undefined,
  });
  if (!account) {
    return (
      <Page title="Statement">
        <ChooseAccount what="statements" />
      </Page>
    );
  }
  const download = () =>
    act(
      async () => save(await berth.money.statementCsv(id, span), `statement-${account.name}-${month}.csv`),
      'The statement is downloaded',
    );
  const error = statement.error ?? spend.error;
  return (
    <Page
      title="Statement"
      actions={
        <Button busy={busy} onClick={() => void download()}>
          Download CSV
        </Button>
      }
    >
      <MoneyCards hasLink={false} />
      <div className="filters">
        <SelectField
          label="Month"
          value={month}
          onChange={(value) => narrow({ month: value })}
          choices={(months.includes(month) ? months : [...months, month]).map((value) => ({
            value,
            label: monthName(value),
          }))}
        />
      </div>
      {error && !(error instanceof AccessError) && <Failure error={error} onRetry={() => statement.refetch()} />}
      {statement.isPending && <Loading what="Reading the statement" />}
      {spend.data && (
        <Section title={`Spent in ${monthName(month)}`}>
          <DayBars month={month} spend={spend.data} />
        </Section>
      )}
      {statement.data && (
        <Section title="By instance">
          <InstanceBars statement={statement.data} />
        </Section>
      )}
      {!(error instanceof AccessError) && <Transactions account={id} span={span} />}
    </Page>
  );
}
