-- Quotes: prices that hold for a while, with the places that they are for. What an open quote holds is booked on its hosts as
-- instances are, in `vcpus_used` and the rest, so the checks there keep it from being sold twice, whatever the code does.

create table quote (
  id uuid primary key,
  account_id uuid not null references account,
  kind text not null check (kind in ('vm', 'container')),
  -- `lost` is a quote whose host was closed or went out of reach before it was used.
  state text not null default 'open' check (state in ('open', 'used', 'expired', 'released', 'lost')),
  reason text,
  -- What it was asked for: places, and what each has. A container has its slot's.
  count int not null check (count > 0),
  configuration text,
  vcpus int not null check (vcpus > 0),
  memory_mib int not null check (memory_mib > 0),
  disk_gib int not null check (disk_gib >= 0),
  -- What has to be available to make all of it; what an account's open quotes come to is never more than it has.
  needed_micro_usd bigint not null check (needed_micro_usd >= 0),
  actor text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  closed_at timestamptz,
  -- What was made with it, which is written after it.
  deployment_id uuid references deployment deferrable initially deferred,
  check (expires_at > created_at),
  check ((state = 'open') = (closed_at is null)),
  check ((state = 'used') = (deployment_id is not null)),
  check ((state = 'lost') = (reason is not null))
);
create index quote_listed on quote (account_id, created_at, id);
create index quote_open on quote (expires_at) where state = 'open';
create index quote_open_by_account on quote (account_id) where state = 'open';
create index quote_closed on quote (closed_at) where state <> 'open';

-- The places of a quote on one host. They are held as long as the quote is open, and kept for the record after that.
create table quote_hold (
  id bigint generated always as identity primary key,
  quote_id uuid not null references quote on delete cascade,
  host_id uuid not null references host,
  count int not null check (count > 0),
  -- What each place takes of the host
  vcpus int not null check (vcpus > 0),
  memory_mib int not null check (memory_mib > 0),
  disk_gib int not null check (disk_gib >= 0),
  -- For one instance an epoch, or what the slot's price is for
  price_micro_usd bigint not null check (price_micro_usd >= 0),
  -- A VM's rate card; a container's slot and price
  price_id uuid references price,
  slot_id uuid references slot,
  slot_price_id uuid references slot_price,
  held boolean not null default true,
  check (num_nonnulls(price_id) = 1 and num_nonnulls(slot_id, slot_price_id) = 0
    or num_nonnulls(price_id) = 0 and num_nonnulls(slot_id, slot_price_id) = 2 and count = 1)
);
create index quote_hold_by_quote on quote_hold (quote_id);
create index quote_hold_by_host on quote_hold (host_id) where held;
create unique index quote_hold_one_per_slot on quote_hold (slot_id) where held;
