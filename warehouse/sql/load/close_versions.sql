-- Set aside the mirror's version of every record whose version ends.
insert into control.client_versions (
    source, id, valid_from, valid_to, observed_at, ended_at, ended_by, run_id, ended_run_id, row_hash, updated_at,
    number, name, display_name, balance, paid_to_date, payment_balance, credit_balance,
    currency_id, group_settings_id, country_id, is_deleted, archived_at, record
)
select
    m.source, m.id, m.valid_from, e.valid_to, m.observed_at, $began, e.ended_by, m.observed_run_id, $run_id,
    m.row_hash, m.updated_at,
    m.number, m.name, m.display_name, m.balance, m.paid_to_date, m.payment_balance, m.credit_balance,
    m.currency_id, m.group_settings_id, m.country_id, m.is_deleted, m.archived_at, m.record
from ended as e
join ninja.{entity} as m on m.source = $source and m.id = e.id
