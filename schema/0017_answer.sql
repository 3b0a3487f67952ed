-- Answers of Berth's own API that are kept for repeats, whoever the caller is. Written in the transaction of what the request
-- did, so that there is an answer exactly where there was an effect.

create table kept_answer (
  -- Who asked, such as `user:…` or `account:…`; keys of different callers have nothing to do with each other
  caller text not null,
  key text not null check (length(key) between 1 and 255),
  request_sha256 bytea not null check (length(request_sha256) = 32),
  -- JSON of status, headers and body; sealed where it holds a secret that is shown once. Null while its request runs
  answer jsonb,
  sealed_answer bytea,
  created_at timestamptz not null,
  primary key (caller, key)
);
create index kept_answer_by_age on kept_answer (created_at);
