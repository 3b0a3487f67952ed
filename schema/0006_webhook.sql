-- Webhooks: who wants to be told of what, and what is still to be told. Deliveries are written by a trigger on `event`, in the
-- transaction of the change itself: whatever is committed will be told, and nothing else.

create table webhook (
  id uuid primary key,
  account_id uuid not null references account,
  event_type text not null check (event_type in ('slot.created', 'slot.updated', 'slot.removed',
    'deployment.created', 'deployment.updated', 'deployment.stopped')),
  callback_url text not null check (length(callback_url) between 1 and 2048),
  host_name text not null,
  -- What deliveries are signed with, sealed with the installation's key
  secret bytea not null,
  created_at timestamptz not null,
  -- Nobody is told any more, and what is left of it is about to be forgotten.
  removed_at timestamptz
);
create index webhook_by_account on webhook (account_id, created_at, id) where removed_at is null;

-- What happened, for one registration. `subject` is the deployment or the slot, `snapshot` what it was at that moment.
create table webhook_delivery (
  id bigint generated always as identity primary key,
  webhook_id uuid not null references webhook,
  -- The same for every registration that is told of the event
  event_id uuid not null,
  subject uuid not null,
  snapshot jsonb not null,
  happened_at timestamptz not null,
  attempts int not null default 0,
  -- From when on the time is counted after which it is given up: when it happened, or when it was sent again
  waiting_since timestamptz not null,
  last_error text,
  delivered_at timestamptz,
  dead_at timestamptz,
  unique (webhook_id, event_id),
  check (num_nonnulls(delivered_at, dead_at) <= 1)
);
create index webhook_delivery_listed on webhook_delivery (webhook_id, id);
create index webhook_delivery_pending on webhook_delivery (webhook_id, subject, id)
  where delivered_at is null and dead_at is null;
create index webhook_delivery_dead on webhook_delivery (webhook_id, id) where dead_at is not null;
create index webhook_delivery_by_age on webhook_delivery (delivered_at) where delivered_at is not null;

-- One row for each registration and subject of which anything is pending. Deliveries of one queue go one after the other, by
-- whoever holds its lease; its row is locked by whoever adds to it and by whoever may end it, so that neither misses the other.
create table webhook_queue (
  webhook_id uuid not null references webhook,
  subject uuid not null,
  host_name text not null,
  -- When its first delivery is to be tried; while it is leased, when the lease runs out
  due_at timestamptz not null,
  lease uuid,
  primary key (webhook_id, subject)
);
create index webhook_queue_due on webhook_queue (due_at);

create function queue_webhooks() returns trigger language plpgsql as $$
begin
  if not exists (select from webhook) then
    return null;
  end if;
  with told as materialized (
    select added.id, gen_random_uuid() as event_id, added.account_id, added.created_at,
      case when added.kind = 'instance.placed' then 'deployment.created' when instance.status = 'deleted' then 'deployment.stopped'
        else 'deployment.updated' end as event_type,
      instance.deployment_id as subject,
      jsonb_build_object('status', instance.status, 'statusReason', instance.status_reason, 'failureCode', instance.failure_code,
        'statusChangedAt', instance.status_changed_at, 'activatedAt', instance.activated_at) as snapshot
    from added join instance on instance.id = added.instance_id and instance.kind = 'container'
    -- Not what an agent tells, whatever it calls it.
    where added.agent_event_id is null and added.kind in ('instance.placed', 'instance.launching', 'instance.active',
      'instance.stopped', 'instance.failed', 'instance.terminated', 'instance.deleting', 'instance.deleted')
    union all
    select id, gen_random_uuid(), null, created_at, kind, (data ->> 'slotId')::uuid, data
    from added
    where agent_event_id is null and kind in ('slot.created', 'slot.updated', 'slot.removed')
  ), registration as materialized (
    -- Locked, so that none is removed before this is committed; one that was removed meanwhile is passed over.
    select id, account_id, event_type, host_name from webhook
    where removed_at is null and event_type in (select event_type from told)
    order by id for share
  ), delivery as (
    insert into webhook_delivery (webhook_id, event_id, subject, snapshot, happened_at, waiting_since)
    select registration.id, event_id, subject, snapshot, created_at, created_at
    from told join registration on registration.event_type = told.event_type
      and (told.account_id is null or told.account_id = registration.account_id)
    order by told.id, registration.id
    returning webhook_id, subject, happened_at
  )
  insert into webhook_queue (webhook_id, subject, host_name, due_at)
  select webhook_id, subject, host_name, min(happened_at)
  from delivery join registration on registration.id = webhook_id
  group by webhook_id, subject, host_name
  order by webhook_id, subject
  -- Locks the row that is there, and leaves it as it is.
  on conflict (webhook_id, subject) do update set due_at = excluded.due_at where false;
  -- A queue that was there already is being worked on, or waits for its time.
  if found then
    perform pg_notify('berth_webhook', '');
  end if;
  return null;
end $$;
create trigger event_queues_webhooks after insert on event referencing new table as added
  for each statement execute function queue_webhooks();

-- Deployments are looked up by their id for every delivery.
create index instance_by_deployment on instance (deployment_id);
