-- Containers: slots that are rented whole, their prices, and what a container is to be. VMs and slots take from one account
-- of capacity, the host's; a slot takes its share only while it is rented.

create table slot (
  id uuid primary key,
  host_id uuid not null references host,
  name text not null check (length(name) between 1 and 63),
  vcpus int not null check (vcpus > 0),
  memory_mib int not null check (memory_mib > 0),
  disk_gib int not null check (disk_gib > 0),
  -- Ids of the host's GPUs that go with it, as their driver names them
  gpus text[] not null default '{}',
  -- `closed` is not let any more and keeps the container it has; `removed` is kept for the record.
  state text not null default 'open' check (state in ('open', 'closed', 'removed')),
  -- What customers were last told about it: the status, and the prices. Null before anything was told, and again once they
  -- were told that it was removed.
  told jsonb,
  created_at timestamptz not null,
  removed_at timestamptz
);
create unique index slot_name on slot (host_id, name) where state <> 'removed';
create index slot_listed on slot (created_at, id) where state <> 'removed';
create index slot_told on slot (host_id) where state <> 'removed' or told is not null;

-- Whether the host has told of something that runs containers, and the ids of the GPUs that it has told of. They stand here
-- because what a host says of itself is written with every heartbeat, and this only when it changes.
alter table host
  add column runs_containers boolean not null default false,
  add column gpu_ids text[] not null default '{}';

-- What a slot costs, for an hour or for an epoch of a day. A row's terms never change; a new price is a new row.
create table slot_price (
  id uuid primary key,
  slot_id uuid not null references slot,
  amount_micro_usd bigint not null check (amount_micro_usd >= 0),
  unit text not null check (unit in ('hour', 'epoch')),
  created_at timestamptz not null,
  withdrawn_at timestamptz
);
create unique index slot_price_one_per_unit on slot_price (slot_id, unit) where withdrawn_at is null;

create function refuse_other_terms() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.withdrawn_at is not null
    or (new.id, new.slot_id, new.amount_micro_usd, new.unit, new.created_at)
      is distinct from (old.id, old.slot_id, old.amount_micro_usd, old.unit, old.created_at) then
    raise exception 'the terms of a price never change' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger slot_price_keeps_terms before update or delete on slot_price
  for each row execute function refuse_other_terms();

-- Whoever looks at the hosts that have changed sees every change of their slots, too: rentals change what is used of a host,
-- and the operator's changes are noted here. (What customers were told is no change.)
create function note_slot_change() returns trigger language plpgsql as $$
begin
  update host set changed_xid = pg_current_xact_id() where id = new.host_id;
  return null;
end $$;
create trigger slot_change after insert or update of state on slot for each row execute function note_slot_change();

create function note_slot_price_change() returns trigger language plpgsql as $$
begin
  update host set changed_xid = pg_current_xact_id() from slot where slot.id = new.slot_id and host.id = slot.host_id;
  return null;
end $$;
create trigger slot_price_change after insert or update on slot_price
  for each row execute function note_slot_price_change();

alter table instance
  drop constraint instance_kind_check,
  add constraint instance_kind_check check (kind in ('vm', 'container')),
  alter column price_id drop not null,
  add column slot_id uuid references slot,
  add column slot_price_id uuid references slot_price,
  -- Why it failed, for programs; the reason for people is `status_reason`.
  add column failure_code text,
  add constraint instance_is_priced_by_kind
    check (num_nonnulls(price_id) = (kind = 'vm')::int and num_nonnulls(slot_id, slot_price_id) = 2 * (kind = 'container')::int);

create table container (
  instance_id text primary key references instance,
  account_id uuid not null references account,
  -- The customer's own id of it; one that was used stays used.
  external_id text check (length(external_id) between 1 and 255),
  request_sha256 bytea not null,
  -- [{"hostPort": 80, "protocol": "tcp" | "https"}]
  ports jsonb not null,
  environment jsonb not null,
  startup_script text,
  metadata jsonb not null,
  -- Login of a private registry, sealed with the installation's key; null once the container has ended.
  registry_auth bytea,
  unique (account_id, external_id)
);

-- A login is of no use once its container is over.
create function forget_registry_login() returns trigger language plpgsql as $$
begin
  update container set registry_auth = null where instance_id = new.id and registry_auth is not null;
  return null;
end $$;
create trigger instance_over_forgets_login after update of status on instance
  for each row when (new.kind = 'container' and new.status in ('failed', 'terminated', 'deleting', 'deleted'))
  execute function forget_registry_login();

-- A slot is held by at most one assignment, which lives as long as the host may hold anything of the instance.
alter table assignment add column slot_id uuid unique references slot;

alter table bill drop constraint bill_period_check;
alter table bill add constraint bill_period_check
  check (period in ('global-daily', 'daily-per-vm', 'hourly', 'per-second', 'daily-per-second'));

-- One row: which key the secrets in this database are sealed with, known by its fingerprint.
create table sealing_key (
  only_row boolean primary key default true check (only_row),
  fingerprint bytea not null check (length(fingerprint) = 32),
  created_at timestamptz not null
);
