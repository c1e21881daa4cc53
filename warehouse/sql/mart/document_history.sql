-- One row per known version of an invoice, payment or credit, including vanished ones: its figures, and the time they held.
-- The state at a moment T: `where valid_from <= T and (valid_to is null or valid_to > T)` has at most one row per document,
-- and none before the first load. valid_to is NULL for the current version (is_current). kind: invoice, payment or credit.
-- A kind leaves the columns NULL that it does not have.
create view mart.document_history as
with versions as (
    select
        source, entity, id, client_id, number, status_id, date, due_date, amount, balance, paid_to_date, applied, refunded,
        is_deleted, archived_at, valid_from, valid_to, ended_by, observed_at, run_id
    from control.record_versions
    where entity in ('invoices', 'payments', 'credits')
    union all
    select
        source, 'invoices', id, client_id, number, status_id, date, due_date, amount, balance, paid_to_date, null, null,
        is_deleted, archived_at, valid_from, null, null, observed_at, observed_run_id
    from ninja.invoices
    union all
    select
        source, 'credits', id, client_id, number, status_id, date, due_date, amount, balance, paid_to_date, null, null,
        is_deleted, archived_at, valid_from, null, null, observed_at, observed_run_id
    from ninja.credits
    union all
    select
        source, 'payments', id, client_id, number, status_id, date, null, amount, null, null, applied, refunded,
        is_deleted, archived_at, valid_from, null, null, observed_at, observed_run_id
    from ninja.payments
)
select
    v.source, case v.entity when 'invoices' then 'invoice' when 'payments' then 'payment' else 'credit' end as document_kind,
    v.id, v.client_id, c.number as client_number, c.display_name as client_name, v.number, v.status_id,
    case when v.is_deleted then 'deleted' when v.archived_at is not null then 'archived' else 'active' end as status,
    v.date, v.due_date, v.amount, v.balance, v.paid_to_date, v.applied, v.refunded,
    v.valid_from, v.valid_to, v.valid_to is null as is_current, v.ended_by, v.observed_at, v.run_id
from versions as v
left join ninja.clients as c on c.source = v.source and c.id = v.client_id
