-- VMs that change: which of a VM's starts runs, what only its next imaging may know, and what new VMs are made like.

-- As the host tells; null while nothing runs.
alter table assignment add column observed_boot_number int;

-- What a guest is told by its next imaging and nobody else ever: a password, a script. Sealed; gone once the imaging has run.
create table imaging_secret (
  instance_id text primary key references assignment on delete cascade,
  -- For which imaging of the VM they are meant
  imaging int not null,
  sealed bytea not null
);

-- What a tool suggests for new VMs.
create table vm_default (
  id bigint generated always as identity primary key,
  -- Whose it is
  account_id uuid not null references account,
  name text not null check (length(name) between 1 and 255),
  public boolean not null,
  server_settings jsonb not null,
  created_at timestamptz not null
);
