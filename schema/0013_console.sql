-- Consoles: the address at which each VM's are reached, and those that somebody has open.

-- What is the same at every server of the installation.
create table console_front (
  only_one boolean primary key default true check (only_one),
  -- Management addresses are given out of this range, in turn.
  pool cidr not null check (family(pool) = 4),
  -- By which SSH clients know the installation again, sealed.
  host_key bytea
);

-- The next address to try. A sequence, because nobody waits for it: deployments on different hosts have nothing in common.
create sequence management_address_turn minvalue 0 start 1;

-- A VM has one as long as its host may hold anything of it.
create table management_address (
  -- At the end of the transaction there is an assignment, whichever row was written first.
  instance_id text primary key references assignment on delete cascade deferrable initially deferred,
  ip inet not null unique
);

-- Gives a VM an address, where there is a pool with a free one; whoever gets none is tried again by the servers.
create function give_management_address(id text) returns void language plpgsql as $$
declare
  range cidr := (select pool from console_front);
  addresses bigint := 2 ^ (32 - masklen(range));
begin
  -- Addresses that are held lie in a row, so a pool with many free ones is not searched for long, and a full one neither.
  for attempt in 1 .. case when range is null then 0 else 100 end loop
    -- Neither the network's address nor the broadcast address.
    insert into management_address (instance_id, ip)
      values (id, set_masklen(range::inet, 32) + 1 + nextval('management_address_turn') % greatest(addresses - 2, 1))
      on conflict do nothing;
    exit when exists (select from management_address where instance_id = id);
  end loop;
end $$;

create function vm_gets_management_address() returns trigger language plpgsql as $$
begin
  perform give_management_address(new.instance_id);
  return null;
end $$;
create trigger vm_has_management_address after insert on vm
  for each row execute function vm_gets_management_address();

-- A console that somebody opens or has open. Worth nothing once that connection is gone, as the rows of `stream`.
create unlogged table console (
  id uuid primary key,
  host_id uuid not null,
  instance_id text not null,
  channel text not null check (channel in ('serial', 'vnc')),
  -- The server that the person is connected to, and the word by which the host is known there; good for one connection.
  server_url text not null,
  ticket text not null,
  -- When the host was told of it last
  offered_at timestamptz,
  -- Whether the host has answered
  answered boolean not null default false,
  -- Put off for as long as it is open
  expires_at timestamptz not null
);
create index console_by_host on console (host_id);
create index console_by_instance on console (instance_id);
