-- An operator orders away what a host has and nobody owns: an order like any other, with a generation that is newer than what the
-- host has, and a revision by which the host hears of it. It goes with its orphan.
alter table orphan
  -- The newest order that the host has about it; 0 where it has none.
  add column generation int not null default 0,
  add column removal_generation int check (removal_generation > 0),
  add column removal_revision bigint,
  add check ((removal_generation is null) = (removal_revision is null));
