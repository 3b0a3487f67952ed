-- Operations: what was asked of an instance and takes its host a while, so that whoever asked can look how it goes. Nothing is
-- driven from here: the order stands with the assignment, and an operation is over when the instance has come to its goal.

create table operation (
  id uuid primary key,
  -- Whose instance it was when it was asked for
  account_id uuid not null references account on delete cascade,
  instance_id text not null references instance,
  kind text not null,
  -- What is waited for, as `Goal` of src/model/operation.ts has it
  goal jsonb not null,
  actor text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  -- Why it did not come to its goal: a word for programs, and a sentence
  error_code text,
  error text,
  check ((error_code is null) = (error is null)),
  check (error is null or finished_at is not null)
);
create index operation_listed on operation (account_id, created_at, id);
create index operation_by_instance on operation (instance_id, created_at, id);
create index operation_by_age on operation (created_at, id);
create index operation_under_way on operation (created_at, id) where finished_at is null;

-- Who sees every account reads its instances in this order.
create index instance_by_age on instance (created_at, id) where status <> 'deleted';
