-- Networks: every group has a private one, and the ranges that addresses in it come from.

-- `num` is what a network is known by on the wire; 24 bits, as VXLAN counts.
create table vlan (
  id bigint generated always as identity primary key,
  num int not null unique check (num between 1 and 16777215),
  created_at timestamptz not null
);
create sequence vlan_num_seq as int maxvalue 16777215 cycle;

-- A range is of one group's network alone, or, without a number, of all that have none of their own of its family. No two
-- overlap, as an address is one instance's wherever that runs.
create table ip_range (
  id bigint generated always as identity primary key,
  cidr cidr not null,
  vlan_num int references vlan (num),
  -- Where the next free IPv4 address is looked for, so that one just given back rests.
  next_offset bigint not null default 0 check (next_offset >= 0),
  created_at timestamptz not null,
  exclude using gist (cidr inet_ops with &&)
);
create index ip_range_by_vlan on ip_range (vlan_num);

alter table "group" add column vlan_num int unique references vlan (num);

-- A group gets the network that it names, or a new one.
create function open_vlan() returns trigger language plpgsql as $$
begin
  if new.vlan_num is null then
    loop
      insert into vlan (num, created_at) values (nextval('vlan_num_seq'), new.created_at)
        on conflict (num) do nothing returning num into new.vlan_num;
      exit when new.vlan_num is not null;
    end loop;
  else
    insert into vlan (num, created_at) values (new.vlan_num, new.created_at) on conflict (num) do nothing;
  end if;
  return new;
end $$;
create trigger group_has_vlan before insert on "group" for each row execute function open_vlan();

-- A network that nobody gave ranges to goes with its group.
create function close_vlan() returns trigger language plpgsql as $$
begin
  delete from vlan where num = old.vlan_num and not exists (select from ip_range where vlan_num = old.vlan_num);
  return null;
end $$;
create trigger group_leaves_vlan after delete on "group" for each row execute function close_vlan();

do $$
declare
  unnumbered record;
begin
  for unnumbered in select id, created_at from "group" order by id loop
    insert into vlan (num, created_at) values (nextval('vlan_num_seq'), unnumbered.created_at);
    update "group" set vlan_num = currval('vlan_num_seq') where id = unnumbered.id;
  end loop;
end $$;
alter table "group" alter column vlan_num set not null;

-- How the host connects its VMs: each by itself, or in networks.
alter table host add column network text not null default 'user' check (network in ('user', 'bridge'));

-- Whether every port is open, where the VM's host connects it to a network; else those of its rules alone.
alter table vm add column all_ports_open boolean not null default false;

-- What an additional address was asked for.
alter table address add column reason text check (length(reason) <= 1000);
