-- The spine: accounts, hosts, and an instance's life. What must never be true is forbidden here, not hoped for in the code:
-- no address twice, no port twice on one address, no host over its capacity, no name twice among an account's live instances.

create table account (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 63),
  created_at timestamptz not null
);

create table "user" (
  id uuid primary key,
  account_id uuid not null references account,
  username text not null unique check (length(username) between 1 and 63),
  -- scrypt or argon2id in PHC string form, never a password
  password_hash text not null,
  created_at timestamptz not null
);

create table api_key (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null,
  -- SHA-256 of the key; the key itself has 256 random bits, so a slow hash would add nothing
  secret_sha256 bytea not null unique check (length(secret_sha256) = 32),
  created_at timestamptz not null,
  revoked_at timestamptz
);

-- A rate card. Rows are immutable once written (trigger below); a change makes a new row.
create table price (
  id uuid primary key,
  vcpu_micro_usd bigint not null check (vcpu_micro_usd >= 0),
  memory_gib_micro_usd bigint not null check (memory_gib_micro_usd >= 0),
  storage_gib_micro_usd bigint not null check (storage_gib_micro_usd >= 0),
  public_ip_micro_usd bigint not null check (public_ip_micro_usd >= 0),
  created_at timestamptz not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % never change', tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger price_is_immutable before update or delete on price for each row execute function refuse_change();

create table host (
  id uuid primary key,
  name text not null unique check (length(name) between 1 and 63),
  credential_sha256 bytea unique check (length(credential_sha256) = 32),
  price_id uuid not null references price,
  -- Counts the changes to this host's assignments; taken under this row's lock, so it is in commit order.
  revision bigint not null default 0,
  vcpu_overcommit numeric(6, 2) not null check (vcpu_overcommit > 0),
  memory_overcommit numeric(6, 2) not null check (memory_overcommit > 0),
  disk_overcommit numeric(6, 2) not null check (disk_overcommit > 0),
  -- What may be sold: the agent's figure times the ratio, less what orphans use, but never below what is already sold.
  vcpus_limit int not null default 0,
  memory_mib_limit int not null default 0,
  disk_gib_limit int not null default 0,
  vcpus_used int not null default 0 check (vcpus_used between 0 and vcpus_limit),
  memory_mib_used int not null default 0 check (memory_mib_used between 0 and memory_mib_limit),
  disk_gib_used int not null default 0 check (disk_gib_used between 0 and disk_gib_limit),
  created_at timestamptz not null
);

-- What changes with every heartbeat stands apart from `host`, whose row every deployment locks.
create table host_health (
  host_id uuid primary key references host on delete cascade,
  last_seen_at timestamptz not null,
  inventory jsonb not null,
  strays jsonb not null default '[]'
);

create table enrolment (
  token_sha256 bytea primary key check (length(token_sha256) = 32),
  host_id uuid not null references host on delete cascade,
  expires_at timestamptz not null,
  used_at timestamptz
);

-- Addresses are handed out round the pool, so that one just given back rests before it is given to somebody else.
create table address_pool (
  id uuid primary key,
  host_id uuid not null references host on delete cascade,
  cidr cidr not null,
  first_ip inet not null,
  size bigint not null check (size > 0),
  next_offset bigint not null default 0 check (next_offset between 0 and size - 1),
  unique (host_id, cidr)
);

create table image (
  id text primary key check (id ~ '^[0-9a-f]{32}$'),
  slug text not null unique,
  name text not null,
  distribution text not null,
  -- Exactly one of the two: a public URL, or the name of an image that Berth builds and serves itself.
  download_url text,
  built_as text,
  username text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (num_nonnulls(download_url, built_as) = 1)
);

create table deployment (
  id uuid primary key,
  account_id uuid not null references account,
  created_at timestamptz not null
);

create table instance (
  id text primary key check (id ~ '^0x[0-9a-f]{40}$'),
  account_id uuid not null references account,
  deployment_id uuid not null references deployment,
  kind text not null check (kind in ('vm')),
  name text not null check (length(name) between 1 and 63),
  hostname text not null,
  status text not null check (status in ('launching', 'active', 'stopped', 'failed', 'deleting', 'deleted')),
  status_reason text,
  status_changed_at timestamptz not null,
  host_id uuid not null references host,
  vcpus int not null check (vcpus > 0),
  memory_mib int not null check (memory_mib > 0),
  image_url text not null,
  ssh_keys text[] not null,
  price_id uuid not null references price,
  price_micro_usd bigint not null check (price_micro_usd >= 0),
  created_at timestamptz not null,
  activated_at timestamptz,
  deleted_at timestamptz
);

create index instance_by_account on instance (account_id, created_at, id) where status <> 'deleted';

-- A name belongs to one deployment of an account as long as any of its instances lives.
create table instance_name (
  account_id uuid not null references account,
  name text not null,
  deployment_id uuid not null references deployment,
  primary key (account_id, name)
);

create table disk (
  id uuid primary key,
  instance_id text not null references instance,
  boot boolean not null,
  size_gib int not null check (size_gib > 0),
  storage_type text not null check (storage_type in ('HDD', 'SSD', 'NVMe'))
);

create unique index disk_one_boot on disk (instance_id) where boot;

-- What one host should do about one instance. The row lives exactly as long as the host may hold anything of the instance:
-- with it go the address, the open ports and the capacity.
create table assignment (
  instance_id text primary key references instance,
  host_id uuid not null references host,
  generation int not null check (generation > 0),
  revision bigint not null,
  desired text not null check (desired in ('running', 'absent')),
  observed_generation int not null default 0,
  observed_state text,
  observed_reason text,
  restarts int not null default 0,
  observed_at timestamptz
);

create unique index assignment_by_revision on assignment (host_id, revision, instance_id);

-- What a host has and nobody owns, as after the database was put back to an older copy: shown and worked around, not killed.
create table orphan (
  instance_id text primary key,
  host_id uuid not null references host on delete cascade,
  state text not null,
  ip inet,
  vcpus int not null default 0,
  memory_mib int not null default 0,
  disk_gib int not null default 0,
  seen_at timestamptz not null
);

create table address (
  ip inet primary key,
  instance_id text unique references assignment on delete cascade,
  orphan_id text unique references orphan on delete cascade,
  check (num_nonnulls(instance_id, orphan_id) = 1)
);

create table port_rule (
  ip inet not null references address on delete cascade,
  protocol text not null check (protocol in ('tcp', 'udp')),
  port int not null check (port between 1 and 65535),
  primary key (ip, protocol, port)
);

-- The feed. A reader who has seen everything before (transaction, id) has missed nothing, provided that it is shown only
-- rows of transactions that no running one can still precede; an id alone would not do, as ids are not in commit order.
create table event (
  id bigint generated always as identity primary key,
  transaction_id xid8 not null default pg_current_xact_id(),
  account_id uuid references account,
  instance_id text,
  host_id uuid,
  kind text not null,
  message text not null,
  actor text not null,
  data jsonb,
  -- Given by the agent, so that a report that arrives twice is written once.
  agent_event_id uuid unique,
  created_at timestamptz not null
);

create index event_feed on event (account_id, transaction_id, id);
create index event_by_instance on event (instance_id, id);
create index event_by_age on event (created_at);

create table idempotency_record (
  account_id uuid not null references account,
  key text not null check (length(key) between 1 and 255),
  request_sha256 bytea not null,
  status int not null,
  response jsonb not null,
  created_at timestamptz not null,
  primary key (account_id, key)
);

create index idempotency_record_by_age on idempotency_record (created_at);
