-- Who acts: people with privileges on accounts, groups and VMs, their sessions, and API keys of their own.

alter table "user"
  add column number bigint generated always as identity unique,
  add column email text check (length(email) between 1 and 254),
  -- Public SSH keys, a line each
  add column authorized_keys text[] not null default '{}',
  -- The secret of a second factor (TOTP), sealed; null without one
  add column totp_sealed bytea,
  -- The time step of the newest code that was taken: none is taken twice
  add column totp_step bigint,
  -- Who has none can't log in until the operator gives him one.
  alter column password_hash drop not null;

-- A key acts for an account, or for a user with what was granted to the key.
alter table api_key
  add column number bigint generated always as identity unique,
  add column user_id uuid references "user" on delete cascade,
  alter column account_id drop not null,
  add check (num_nonnulls(account_id, user_id) = 1);
create index api_key_by_user on api_key (user_id) where user_id is not null;

-- What a user may do, and where. A level of the cluster is held on everything; any other on one object and what is in it.
create table privilege (
  id bigint generated always as identity primary key,
  user_id uuid not null references "user" on delete cascade,
  level text not null check (level in
    ('vm_console', 'vm_admin', 'group_admin', 'account_admin', 'cluster_admin', 'cluster_su')),
  account_id uuid references account on delete cascade,
  group_id bigint references "group" on delete cascade,
  instance_id text references instance on delete cascade,
  -- Held by this key of the user's rather than by his sessions
  api_key_id uuid references api_key on delete cascade,
  -- What a session must have shown for it to hold
  password_required boolean not null,
  second_factor_required boolean not null default false,
  second_factor_age_seconds_max int check (second_factor_age_seconds_max > 0),
  -- Where it holds; null is everywhere
  from_addresses inet[] check (cardinality(from_addresses) > 0),
  -- The username of who granted it; null for Berth's operator
  granted_by text,
  created_at timestamptz not null,
  check (case
    when level in ('vm_console', 'vm_admin') then instance_id is not null and num_nonnulls(account_id, group_id) = 0
    when level = 'group_admin' then group_id is not null and num_nonnulls(account_id, instance_id) = 0
    when level = 'account_admin' then account_id is not null and num_nonnulls(group_id, instance_id) = 0
    else num_nonnulls(account_id, group_id, instance_id) = 0
  end),
  unique nulls not distinct (user_id, level, account_id, group_id, instance_id, api_key_id)
);
create index privilege_by_account on privilege (account_id) where account_id is not null;
create index privilege_by_group on privilege (group_id) where group_id is not null;
create index privilege_by_instance on privilege (instance_id) where instance_id is not null;
create index privilege_by_api_key on privilege (api_key_id) where api_key_id is not null;

insert into privilege (user_id, level, account_id, password_required, created_at)
  select id, 'account_admin', account_id, true, created_at from "user";
alter table "user" drop column account_id;

-- Privileges with where their objects stand. What is held on a VM that is gone is held on nothing.
create view privilege_place as
  select privilege.id as privilege_id, account.id as account_id, "group".id as group_id, vm.id as instance_id
  from privilege
  left join instance vm on vm.id = privilege.instance_id
  left join "group" on "group".id = coalesce(vm.group_id, privilege.group_id)
  left join account on account.id = coalesce("group".account_id, privilege.account_id)
  where vm.id is null or vm.status not in ('deleting', 'deleted');

create table session (
  -- SHA-256 of the token; the token itself has 256 random bits, so a slow hash would add nothing
  token_sha256 bytea primary key check (length(token_sha256) = 32),
  user_id uuid not null references "user" on delete cascade,
  -- What was shown to open it, such as {password,2fa}
  factors text[] not null,
  authenticated_at timestamptz not null,
  -- Who acts as the user
  impersonator_id uuid references "user" on delete cascade,
  -- Each use puts its end off by so much.
  validity_seconds int not null check (validity_seconds between 1 and 3600),
  expires_at timestamptz not null
);
create index session_by_user on session (user_id);
create index session_by_impersonator on session (impersonator_id) where impersonator_id is not null;
create index session_expiry on session (expires_at);

-- Logins that failed, by whom and from where, so that guessing is slow whichever server is asked. Nothing is lost with it in a
-- crash but that.
create unlogged table login_failure (
  -- SHA-256 of `user` or `address` and the name: people type passwords where names belong
  source_sha256 bytea primary key check (length(source_sha256) = 32),
  count int not null check (count >= 0),
  -- Until then the next attempt is not even looked at; null where it is at once
  blocked_until timestamptz,
  failed_at timestamptz not null
);
create index login_failure_age on login_failure (failed_at);
