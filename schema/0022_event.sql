-- Events as a stream: each server follows the feed of all accounts at once, which the index by account does not serve.

create index event_in_order on event (transaction_id, id);
