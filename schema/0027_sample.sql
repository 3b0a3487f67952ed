-- Samples: what each instance and each host used in the last ten seconds, and the averages that are made of them. What is kept, and
-- for how long, is `tiers` of src/model/sample.ts. See docs/decisions/0020-metrics.md.

-- A slot is a stretch of time of one tier, and its table is emptied as a whole when its time is over: nothing is deleted row by row.
create table sample (
  slot smallint not null,
  -- The first 128 bits of an instance's id, or a host's id: half the room of the text, in the row and in the index
  subject uuid not null,
  -- When the step begins that it is about
  at timestamptz not null,
  -- How many samples it is the average of
  samples smallint not null,
  -- Processors, on average
  cpu real,
  memory_bytes bigint,
  -- Of hosts: what is taken of the file system that instances lie on
  disk_bytes bigint,
  disk_read_bytes_per_second real,
  disk_write_bytes_per_second real,
  disk_reads_per_second real,
  disk_writes_per_second real,
  network_receive_bytes_per_second real,
  network_send_bytes_per_second real,
  -- Of hosts: how many of theirs run
  instances real,
  primary key (subject, at, slot)
) partition by list (slot);
-- Rows come in the order of time, so this finds a stretch of it at next to no cost.
create index sample_by_time on sample using brin (at) with (pages_per_range = 16, autosummarize = on);

-- As they come: a crash of the database may lose these two hours, and they cost it no log. Averages are logged as anything else is.
create unlogged table sample_000 partition of sample for values in (0);
create unlogged table sample_001 partition of sample for values in (1);
create unlogged table sample_002 partition of sample for values in (2);
create unlogged table sample_003 partition of sample for values in (3);

do $$
begin
  for slot in 100..109 loop
    execute format('create table sample_%s partition of sample for values in (%s)', slot, slot);
  end loop;
  for slot in 200..210 loop
    execute format('create table sample_%s partition of sample for values in (%s)', slot, slot);
  end loop;
end
$$;

-- Up to where each tier is made of the one before it
create table sample_tier (
  tier smallint primary key,
  made_until timestamptz not null
);
insert into sample_tier values (1, 'epoch'), (2, 'epoch');
