-- The ledger is read by time across all accounts, page by page from the newest on, and summed over spans of time.
create index ledger_transaction_by_time on ledger_transaction (created_at, id);
