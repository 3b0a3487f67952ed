-- Doors: WebSockets to VMs' consoles and into containers, and the tickets that open them.

-- A browser can't send a header with a WebSocket, so a ticket stands in its address: good for one door, once, for half a minute.
-- Worth nothing after a crash, as the rows of `console`.
create unlogged table door_ticket (
  sha256 bytea primary key,
  instance_id text not null,
  door text not null check (door in ('console', 'screen', 'exec')),
  -- Whose it is; looked at again for as long as the door is open
  session_id uuid,
  api_key_id uuid,
  check (num_nonnulls(session_id, api_key_id) = 1),
  -- What is to be run, where anything is
  exec jsonb check (exec is null or door = 'exec'),
  expires_at timestamptz not null
);
create index door_ticket_by_end on door_ticket (expires_at);

-- A command in a container is connected as a console is.
alter table console drop constraint console_channel_check;
alter table console add constraint console_channel_check check (channel in ('serial', 'vnc', 'exec'));
-- What is to be run; forgotten as soon as the host has it, because it may hold a secret.
alter table console add column exec jsonb check (exec is null or channel = 'exec');
