-- What an API key may do and how long; and the SSH keys that an account has registered.

alter table api_key
  add column scope text not null default 'full' check (scope in ('read-only', 'full')),
  add column expires_at timestamptz;

create table ssh_key (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null check (length(name) between 1 and 255),
  -- `SHA256:` and base64 without padding, as ssh-keygen writes it
  fingerprint text not null,
  algorithm text not null,
  comment text not null,
  public_key text not null,
  created_at timestamptz not null,
  unique (account_id, name),
  unique (account_id, fingerprint)
);
