-- Storage pools of hosts; and disks that come, go, grow and are made anew while their VM lives.

-- A place on a host where disks lie. Every host has the one called `default`, in its agent's own directory, whose account is
-- the host's own `disk_gib_*`; a disk without a pool is in that one.
create table storage_pool (
  id bigint generated always as identity primary key,
  host_id uuid not null references host,
  label text not null check (length(label) between 1 and 32),
  -- Kinds of storage that it may be sold as.
  grades text[] not null,
  storage_type text not null check (storage_type in ('HDD', 'SSD', 'NVMe')),
  -- What its host last said of it.
  size_gib int not null check (size_gib >= 0),
  free_gib int not null check (free_gib >= 0),
  -- Whether its host still has it; it gets no new disks otherwise.
  present boolean not null default true,
  -- What may be sold of it, and what is.
  gib_limit int not null default 0,
  gib_used int not null default 0,
  check (gib_used between 0 and gib_limit),
  unique (host_id, label)
);

-- The grades of a host's default pool, null before it has told of its pools; and those that others of its pools are for, to
-- which disks of these grades go.
alter table host
  add column storage_grades text[],
  add column apart_grades text[] not null default '{}';

alter table disk
  add column pool_id bigint references storage_pool,
  -- How often its content was asked for anew: 0 is never, so that it is blank.
  add column imaging int not null default 1 check (imaging >= 0),
  -- Reads and writes a second.
  add column iops_limit int check (iops_limit > 0);

-- A VM is imaged on the disk that it is booted from.
create function image_first_disk() returns trigger language plpgsql as $$
begin
  update disk set imaging = imaging + 1, restored_from = null where id =
    (select id from disk where instance_id = new.instance_id order by position limit 1);
  return null;
end $$;
create trigger vm_images_disk after update of imaging on vm for each row when (new.imaging > old.imaging)
  execute function image_first_disk();

-- A disk that is no VM's any more and that its host has yet to erase. It takes its room until then.
create table erasing_disk (
  id uuid primary key,
  instance_id text not null references assignment on delete cascade,
  pool_id bigint references storage_pool,
  size_mib int not null check (size_mib > 0),
  -- What its backups take beside it, in GiB; they go with it.
  backup_gib int not null default 0 check (backup_gib >= 0),
  created_at timestamptz not null
);
create index erasing_disk_by_instance on erasing_disk (instance_id);

-- What an assignment takes of pools other than the default one, in GiB. A pool's `gib_used` is the sum of these.
create table assignment_pool (
  instance_id text not null references assignment on delete cascade,
  pool_id bigint not null references storage_pool,
  gib int not null check (gib >= 0),
  primary key (instance_id, pool_id)
);

create function count_pool_use() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    update storage_pool set gib_used = gib_used - old.gib where id = old.pool_id;
  end if;
  if tg_op <> 'DELETE' then
    update storage_pool set gib_used = gib_used + new.gib where id = new.pool_id;
  end if;
  return null;
end $$;
create trigger assignment_pool_counts after insert or update or delete on assignment_pool
  for each row execute function count_pool_use();
