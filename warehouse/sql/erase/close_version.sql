-- Set aside the version of an erased client that holds, where its balances are kept: figures alone, under a pseudonym.
insert into control.client_versions (
    source, id, valid_from, valid_to, observed_at, ended_at, ended_by, run_id, ended_run_id, row_hash, updated_at,
    balance, paid_to_date, payment_balance, credit_balance, currency_id, is_deleted, archived_at, record
)
select
    source, $pseudonym, valid_from, greatest($now, valid_from), observed_at, $now, 'erased', observed_run_id, run_id, '',
    updated_at, balance, paid_to_date, payment_balance, credit_balance, currency_id, is_deleted, archived_at,
    cast('{}' as json)
from ninja.clients
where source = $source and id = $id
