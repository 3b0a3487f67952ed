-- The ledger. Money moves in transactions whose entries sum to zero; nothing that was written ever changes. Balances are
-- sums of entries; the figures in `account_balance` are kept beside them by the database itself, for the lock and the limit.

create table account_balance (
  account_id uuid primary key references account,
  available_micro_usd bigint not null default 0 check (available_micro_usd >= 0),
  held_micro_usd bigint not null default 0 check (held_micro_usd >= 0)
);
insert into account_balance (account_id) select id from account;

create function open_balance() returns trigger language plpgsql as $$
begin
  insert into account_balance (account_id) values (new.id);
  return null;
end $$;
create trigger account_has_balance after insert on account for each row execute function open_balance();

create table ledger_transaction (
  id uuid primary key,
  kind text not null check (kind in ('credit', 'debit', 'charge', 'deposit', 'release', 'refund')),
  account_id uuid not null references account,
  instance_id text references instance,
  reason text not null check (length(reason) between 1 and 500),
  actor text not null,
  created_at timestamptz not null
);
create index ledger_transaction_by_account on ledger_transaction (account_id, created_at, id);

-- `available` and `held` are a customer's; `revenue` is what a host has earned; `cash` is the world outside.
create table ledger_entry (
  id bigint generated always as identity primary key,
  transaction_id uuid not null references ledger_transaction,
  book text not null check (book in ('available', 'held', 'revenue', 'cash')),
  account_id uuid references account,
  host_id uuid references host,
  amount_micro_usd bigint not null check (amount_micro_usd <> 0),
  check ((book in ('available', 'held')) = (account_id is not null)),
  check ((book = 'revenue') = (host_id is not null))
);
create index ledger_entry_by_transaction on ledger_entry (transaction_id);

create trigger ledger_transaction_is_immutable before update or delete on ledger_transaction
  for each row execute function refuse_change();
create trigger ledger_entry_is_immutable before update or delete on ledger_entry
  for each row execute function refuse_change();

-- Every statement adds entries that sum to zero in each transaction; so every transaction sums to zero at all times.
create function balance_entries() returns trigger language plpgsql as $$
declare
  unbalanced uuid;
begin
  select transaction_id into unbalanced from entries group by transaction_id having sum(amount_micro_usd) <> 0 limit 1;
  if found then
    raise exception 'ledger transaction % does not sum to zero', unbalanced
      using errcode = 'check_violation', constraint = 'ledger_transaction_sums_to_zero';
  end if;
  update account_balance set
    available_micro_usd = available_micro_usd + moved.available, held_micro_usd = held_micro_usd + moved.held
  from (
    select account_id, coalesce(sum(amount_micro_usd) filter (where book = 'available'), 0) as available,
      coalesce(sum(amount_micro_usd) filter (where book = 'held'), 0) as held
    from entries where account_id is not null group by account_id
  ) as moved
  where account_balance.account_id = moved.account_id;
  return null;
end $$;
create trigger ledger_entries_balance after insert on ledger_entry
  referencing new table as entries for each statement execute function balance_entries();

-- What one instance owes and how far it is paid. Closed when it ends.
create table bill (
  instance_id text primary key references instance,
  account_id uuid not null references account,
  host_id uuid not null references host,
  period text not null check (period in ('global-daily', 'daily-per-vm', 'hourly', 'per-second')),
  -- Periods that are an instance's own are counted from here.
  anchor_at timestamptz not null,
  price_micro_usd bigint not null check (price_micro_usd >= 0),
  paid_until timestamptz not null,
  held_micro_usd bigint not null default 0 check (held_micro_usd >= 0),
  spent_micro_usd bigint not null default 0 check (spent_micro_usd >= 0),
  -- The end of its last run that is over; a run that goes on is on the assignment.
  ran_until timestamptz,
  funds text not null default 'enough' check (funds in ('enough', 'small', 'none')),
  funds_changed_at timestamptz not null,
  created_at timestamptz not null,
  closed_at timestamptz
);
create index bill_by_due on bill (paid_until) where closed_at is null;
create index bill_by_account on bill (account_id, created_at, instance_id) where closed_at is null;

-- One row for each period that an instance was charged for, so that none is charged twice.
create table charge (
  instance_id text not null references instance,
  period_begins_at timestamptz not null,
  period_ends_at timestamptz not null check (period_ends_at > period_begins_at),
  amount_micro_usd bigint not null check (amount_micro_usd >= 0),
  transaction_id uuid references ledger_transaction,
  primary key (instance_id, period_begins_at),
  check ((amount_micro_usd > 0) = (transaction_id is not null))
);
create trigger charge_is_immutable before update or delete on charge for each row execute function refuse_change();

-- Instances from before there was a ledger were promised nothing and go on for nothing.
insert into bill (instance_id, account_id, host_id, period, anchor_at, price_micro_usd, paid_until, funds_changed_at, created_at)
select id, account_id, host_id, 'global-daily', created_at, 0, created_at, created_at, created_at
from instance where status not in ('failed', 'deleting', 'deleted');
