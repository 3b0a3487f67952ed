-- Acts: what is done to a running VM once, such as a press of its power button. A server writes the row, the host's agent is
-- told of it with its assignments and says how it went, and whoever asked takes the row away. An act that nobody waits for any
-- more must not happen, so none outlives its server's crash; and no row that lives on is referred to, since a reference would
-- lock it.
create unlogged table act (
  id uuid primary key,
  host_id uuid not null,
  instance_id text not null,
  kind text not null check (kind in ('powerdown', 'reset', 'sendkey')),
  -- The keys that are pressed together
  keys text[] not null default '{}',
  -- When the host was told of it last
  offered_at timestamptz,
  -- What the host says; null until then
  outcome text check (outcome in ('done', 'not-running', 'failed')),
  expires_at timestamptz not null
);
create index act_by_host on act (host_id);

-- For which start of a VM its appliance is meant; null where it is for all.
alter table vm add column appliance_boot_number int check (appliance_boot_number > 0);
