-- Webhooks by kinds of events: besides the types that there are, an account can be told of any of its events, by kinds with what is
-- below them, `instance` for one, or `*` for all. And a webhook can be switched off for a while.

alter table webhook alter column event_type drop not null;
alter table webhook
  add column kinds text[] check (cardinality(kinds) > 0),
  add column enabled boolean not null default true,
  add check (num_nonnulls(event_type, kinds) = 1);

create or replace function queue_webhooks() returns trigger language plpgsql as $$
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
  ), line as materialized (
    -- Each event of an account as the feed shows it. Subjects are ids, which an instance's own is too long for.
    select id, gen_random_uuid() as event_id, account_id, created_at, kind,
      coalesce(md5(instance_id)::uuid, account_id) as subject,
      jsonb_build_object('cursor', transaction_id || '-' || id, 'accountId', account_id, 'instanceId', instance_id, 'kind', kind,
        'message', message, 'actor', actor, 'data', data, 'createdAt', created_at) as snapshot
    from added where account_id is not null
  ), registration as materialized (
    -- Locked, so that none is removed before this is committed; one that was removed meanwhile is passed over.
    select id, account_id, event_type, kinds, host_name from webhook
    where removed_at is null and enabled and (event_type in (select event_type from told)
      or kinds is not null and account_id in (select account_id from line))
    order by id for share
  ), due as (
    select registration.id as webhook_id, told.id, event_id, subject, snapshot, created_at
    from told join registration on registration.event_type = told.event_type
      and (told.account_id is null or told.account_id = registration.account_id)
    union all
    select registration.id, line.id, event_id, subject, snapshot, created_at
    from line join registration on registration.account_id = line.account_id and exists (
      select from unnest(registration.kinds) as wanted
      where wanted = '*' or line.kind = wanted or starts_with(line.kind, wanted || '.'))
  ), delivery as (
    insert into webhook_delivery (webhook_id, event_id, subject, snapshot, happened_at, waiting_since)
    select webhook_id, event_id, subject, snapshot, created_at, created_at from due
    order by id, webhook_id
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
