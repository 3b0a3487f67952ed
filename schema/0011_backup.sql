-- Backups of disks, and the schedules that make them. A backup is a whole copy of its disk as it was at one moment; it lies beside
-- its disk on the same host, goes where the disk goes, and is gone with it.

create table backup_schedule (
  id bigint generated always as identity primary key,
  disk_id uuid not null references disk on delete cascade,
  -- Backups are due then, and each interval later.
  start_at timestamptz not null,
  interval_seconds int not null check (interval_seconds > 0),
  -- How many are kept; the oldest makes room for the next.
  capacity int not null check (capacity > 0),
  -- The last moment for which one was made, or that was passed over.
  done_at timestamptz not null
);
create index backup_schedule_by_disk on backup_schedule (disk_id);

create table backup (
  id uuid primary key,
  number bigint generated always as identity unique,
  disk_id uuid not null references disk on delete cascade,
  label text not null check (length(label) between 1 and 255),
  -- What the disk had then.
  size_mib int not null check (size_mib > 0),
  -- Null where somebody asked for it, or its schedule is no more.
  schedule_id bigint references backup_schedule on delete set null,
  -- `wanted`: its host is to make it; `ready`; `erasing`: its host is to remove it. One that can't be made is removed here.
  state text not null check (state in ('wanted', 'ready', 'erasing')),
  -- What it takes of its disk's pool until it is gone.
  disk_gib int not null check (disk_gib > 0),
  created_at timestamptz not null,
  unique (disk_id, label)
);
-- One at a time of each disk.
create unique index backup_under_way on backup (disk_id) where state = 'wanted';

-- What a disk's present content was made of, where that was a backup: its content is asked for anew by a greater number.
alter table disk add column restored_from uuid references backup on delete set null;

-- An image makes a disk forget that it was restored.
create or replace function image_first_disk() returns trigger language plpgsql as $$
begin
  update disk set imaging = imaging + 1, restored_from = null where id =
    (select id from disk where instance_id = new.instance_id order by position limit 1);
  return null;
end $$;

-- Whatever a host lets go of, it has erased with all its backups.
create function forget_backups() returns trigger language plpgsql as $$
begin
  delete from backup using disk where backup.disk_id = disk.id and disk.instance_id = old.instance_id;
  return old;
end $$;
create trigger assignment_over_forgets_backups after delete on assignment for each row execute function forget_backups();
