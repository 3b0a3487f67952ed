-- What people see of their own sessions and keys, and second factors that they set up themselves.

-- Told apart by what is no secret.
alter table session
  add column id uuid not null unique default gen_random_uuid(),
  -- Where it was opened, and by what
  add column from_address text check (length(from_address) <= 100),
  add column user_agent text check (length(user_agent) <= 300);
alter table session alter column id drop default;

alter table "user"
  -- A second factor that is not confirmed by a code yet, sealed; the one that he has holds until it is
  add column totp_pending_sealed bytea;

alter table api_key
  -- Written once an hour at most
  add column last_used_at timestamptz;
