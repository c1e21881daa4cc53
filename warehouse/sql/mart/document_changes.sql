-- One row per field that changed between two versions of an invoice, payment or credit, as texts for people.
-- changed_at: start of the later version. observed_at, run_id: when a run saw it, and which run. The field of a line or an
-- application is named by its id. '' is an empty value.
create view mart.document_changes as
select
    source, case entity when 'invoices' then 'invoice' when 'payments' then 'payment' else 'credit' end as document_kind,
    id, number, field, before, after, changed_at, observed_at, run_id
from control.record_changes
where entity in ('invoices', 'payments', 'credits')
