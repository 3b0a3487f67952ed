-- What an account has deployed is listed in pages, the oldest first.
create index deployment_by_account on deployment (account_id, created_at, id);
