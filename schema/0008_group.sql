-- Groups; and what a VM is beyond what it was deployed with: its power, its disks, and what its host holds for it.

-- Numbers for tools that know things by no other ids.
alter table account add column number bigint generated always as identity unique;
alter table host add column number bigint generated always as identity unique;
alter table instance add column number bigint generated always as identity unique;
alter table disk add column number bigint generated always as identity unique;

-- A named set of an account's instances. Every account has one called `default`.
create table "group" (
  id bigint generated always as identity primary key,
  account_id uuid not null references account on delete cascade,
  name text not null check (length(name) between 1 and 63),
  created_at timestamptz not null,
  unique (account_id, name)
);
insert into "group" (account_id, name, created_at) select id, 'default', created_at from account;

create function open_group() returns trigger language plpgsql as $$
begin
  insert into "group" (account_id, name, created_at) values (new.id, 'default', new.created_at);
  return null;
end $$;
create trigger account_has_group after insert on account for each row execute function open_group();

create function keep_default_group() returns trigger language plpgsql as $$
begin
  -- With its account it goes, by the foreign key's own trigger.
  if old.name = 'default' and (case when tg_op = 'DELETE' then pg_trigger_depth() = 1 else new.name <> 'default' end) then
    raise exception 'every account has a group called default' using errcode = 'restrict_violation';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger group_default_stays before update of name or delete on "group"
  for each row execute function keep_default_group();

alter table instance add column group_id bigint references "group";
update instance set group_id = "group".id from "group"
  where "group".account_id = instance.account_id and "group".name = 'default';
alter table instance
  alter column group_id set not null,
  -- A VM with nothing to boot from has no image.
  alter column image_url drop not null,
  drop constraint instance_status_check,
  -- `soft-deleted` is off and hidden, keeps its name, address and disks, and can be brought back.
  add constraint instance_status_check check (status in
    ('launching', 'active', 'stopped', 'failed', 'terminated', 'soft-deleted', 'deleting', 'deleted'));
create index instance_by_group on instance (group_id, created_at, id) where status <> 'deleted';

-- A name belongs to one deployment of a group as long as any of its instances lives.
alter table instance_name add column group_id bigint references "group";
update instance_name set group_id = "group".id from "group"
  where "group".account_id = instance_name.account_id and "group".name = 'default';
alter table instance_name
  drop constraint instance_name_pkey,
  drop column account_id,
  add primary key (group_id, name);

-- What only a VM has.
create table vm (
  instance_id text primary key references instance,
  hardware_profile text not null default 'virtio2013',
  hardware_profile_locked boolean not null default false,
  -- Whether it comes back up after its guest has switched it off.
  autoreboot boolean not null default false,
  -- An ISO image in its CD drive, which it boots from.
  cdrom_url text,
  keymap text,
  -- A system that it boots in place of its own
  appliance text,
  -- How often its first disk was imaged, and with what last.
  imaging int not null default 1 check (imaging >= 0),
  last_imaged_with text
);
insert into vm (instance_id) select id from instance where kind = 'vm';

alter table disk add column size_mib int check (size_mib > 0);
update disk set size_mib = size_gib * 1024;
alter table disk
  alter column size_mib set not null,
  drop column size_gib,
  add column label text not null default 'disc-1' check (length(label) between 1 and 255),
  -- In the order in which the guest sees them; the first is booted from.
  add column position int not null default 1 check (position > 0),
  add column grade text not null default 'sata',
  add column created_at timestamptz not null default now(),
  add unique (instance_id, label);
create unique index disk_position on disk (instance_id, position);
alter table disk drop column boot;

-- What an assignment takes of its host, which may be more than the instance has now: what runs keeps what it was started
-- with. The host's `_used` columns are the sums of these.
alter table assignment
  add column vcpus int,
  add column memory_mib int,
  add column disk_gib int,
  -- Which start of it should run; one more means that it is to be powered off and on again.
  add column boot_number int not null default 1 check (boot_number > 0),
  drop constraint assignment_desired_check,
  add constraint assignment_desired_check check (desired in ('running', 'off', 'absent'));
update assignment set vcpus = instance.vcpus, memory_mib = instance.memory_mib, disk_gib =
    (select coalesce(sum(ceil(size_mib / 1024.0)), 0) from disk where disk.instance_id = assignment.instance_id)
  from instance where instance.id = assignment.instance_id;
alter table assignment
  alter column vcpus set not null,
  alter column memory_mib set not null,
  alter column disk_gib set not null,
  add check (vcpus >= 0 and memory_mib >= 0 and disk_gib >= 0);

-- An instance has one main address of each family, and may have additional ones that lead to it.
alter table address
  drop constraint address_instance_id_key,
  add column additional boolean not null default false,
  add column reverse_name text check (length(reverse_name) between 1 and 253);
create unique index address_main on address (instance_id, family(ip)) where not additional;
create index address_by_instance on address (instance_id);

create view main_address as select ip, instance_id from address where not additional and family(ip) = 4;
