-- Streams: what a customer wants to read of a container while he is connected. A server writes the row, the host's agent sends
-- its answer in chunks to whichever server it talks to, and the customer's server takes them from here. All of it is worth
-- nothing once that connection is gone, so none of it is written to PostgreSQL's log; and no row that lives on is referred to,
-- since a reference would lock it.

create unlogged table stream (
  id uuid primary key,
  account_id uuid not null,
  -- Null where nothing is asked of a host: then the row only counts against the account's limit.
  host_id uuid,
  instance_id text not null,
  -- {"tail": 100, "since": "2026-01-01T00:00:00.000Z" | null, "follow": true}; null where nothing is asked of a host
  query jsonb,
  -- When the host was told of it last
  offered_at timestamptz,
  -- The number of the newest chunk that has come, so that one which is sent twice is taken once
  received int not null default 0,
  -- Put off for as long as the customer reads
  expires_at timestamptz not null
);
create index stream_by_host on stream (host_id);

create unlogged table stream_chunk (
  stream_id uuid not null references stream on delete cascade,
  sequence int not null check (sequence > 0),
  lines jsonb not null,
  -- Set in the last one: why no more come
  ending text check (ending in ('ended', 'gone', 'unavailable')),
  primary key (stream_id, sequence)
);
