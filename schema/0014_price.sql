-- Prices that change with what they are for: storage by its grade, and bills whose price follows the instance.

-- A GiB of storage by grade, in micro-USD an epoch; a grade that is not in it costs what `storage_gib_micro_usd` says.
alter table price add column grade_gib_micro_usd jsonb not null default '{}';

alter table bill
  -- The dearest price that the present period was paid at, where the price is lower by now: what was paid for is not paid
  -- for again.
  add column period_price_micro_usd bigint check (period_price_micro_usd > price_micro_usd),
  add column price_changes int not null default 0 check (price_changes >= 0);

-- A period is charged once as it begins or ends, and once more for each change that made it dearer, for the rest of it.
alter table charge
  add column price_change int not null default 0 check (price_change >= 0),
  drop constraint charge_pkey,
  add primary key (instance_id, period_begins_at, price_change);

-- Since when the host says that it is switched off; null while it is not. What is off keeps its place and is paid for.
alter table assignment add column off_since timestamptz;
update assignment set off_since = observed_at where observed_state = 'off';
