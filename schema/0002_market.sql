-- The market: where hosts stand, what they are made of, which sizes are sold. Offers are not here: they are computed from
-- these rows and from what is free at the moment.

create table datacenter (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  country_code text not null check (country_code ~ '^[A-Z]{2}$'),
  -- UN/LOCODE's three characters of the city
  city_code text not null check (city_code ~ '^[A-Z2-9]{3}$'),
  city_index int not null check (city_index between 1 and 9999),
  tier int not null check (tier between 1 and 4),
  certifications text[] not null default '{}',
  created_at timestamptz not null,
  unique (country_code, city_code, city_index)
);

create table configuration (
  slug text primary key,
  vcpus int not null check (vcpus > 0),
  memory_mib int not null check (memory_mib > 0),
  disk_gib int not null check (disk_gib > 0),
  created_at timestamptz not null
);

alter table host
  add column datacenter_id uuid references datacenter,
  -- `drained` takes no new instances and keeps those it has; `retired` has none and is kept for the record.
  add column state text not null default 'open' check (state in ('open', 'drained', 'retired')),
  add column reachable boolean not null default false,
  add column reachable_changed_at timestamptz,
  -- What the agent found, with the operator's overrides laid over it; and those overrides alone.
  add column hardware jsonb not null default '{}',
  add column hardware_overrides jsonb not null default '{}',
  -- What one instance may have beyond its configuration's storage; null is no limit.
  add column additional_disk_gib_max int check (additional_disk_gib_max >= 0),
  -- The transaction that last changed the row. A reader who has seen everything below some transaction that no running one
  -- precedes asks for what is at or above it, and misses nothing.
  add column changed_xid xid8 not null default pg_current_xact_id();

create index host_by_change on host (changed_xid);

create function note_host_change() returns trigger language plpgsql as $$
begin
  new.changed_xid := pg_current_xact_id();
  return new;
end $$;

create trigger host_change before update on host for each row execute function note_host_change();

-- One row: the transaction that last changed what all hosts share, the datacenters and the configurations.
create table catalog_change (
  only_row boolean primary key default true check (only_row),
  changed_xid xid8 not null
);
insert into catalog_change (changed_xid) values (pg_current_xact_id());

create function note_catalog_change() returns trigger language plpgsql as $$
begin
  update catalog_change set changed_xid = pg_current_xact_id();
  return null;
end $$;

create trigger datacenter_change after insert or update or delete on datacenter
  for each statement execute function note_catalog_change();
create trigger configuration_change after insert or update or delete on configuration
  for each statement execute function note_catalog_change();

-- Since when an instance runs without a break, in this database's time; it proves that it ran while nobody was looking.
alter table assignment add column running_since timestamptz;

alter table instance drop constraint instance_status_check;
alter table instance add constraint instance_status_check
  check (status in ('launching', 'active', 'stopped', 'failed', 'terminated', 'deleting', 'deleted'));
