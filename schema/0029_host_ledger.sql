-- What one host earned is read out of a ledger of all: a host that earns little is found without walking through the others'.
create index ledger_entry_by_host on ledger_entry (host_id, transaction_id) where host_id is not null;
