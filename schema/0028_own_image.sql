-- Images that accounts have beside the catalog: a URL, and what the file there has to hash to. An instance keeps a copy of both, so
-- that it is made the same again whatever becomes of the image.

create table own_image (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null check (length(name) between 1 and 63),
  distribution text not null,
  username text not null,
  url text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  -- Null until it is known, where the owner did not say: a compressed image shows it only on a host.
  format text check (format in ('qcow2', 'raw')),
  state text not null default 'checking' check (state in ('checking', 'ready', 'failed')),
  -- Why it failed, or why it is looked at once more.
  reason text check (state <> 'failed' or reason is not null),
  -- When its URL is looked at next, and how often that has been begun.
  check_at timestamptz check ((check_at is not null) = (state = 'checking')),
  checks int not null default 0,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, name)
);

create index own_image_due on own_image (check_at) where check_at is not null;

alter table instance add column image_sha256 text check (image_sha256 ~ '^[0-9a-f]{64}$');
