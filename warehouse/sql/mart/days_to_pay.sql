-- One row per paid invoice: how many days after its date, and after its due date, it was paid in full.
-- paid_on is the day of the last payment that was applied to it and not refunded in full. days_late is below zero for one paid
-- before its due date, and NULL without a due date. Invoices marked as paid without a payment, and deleted ones, are left out.
create view mart.days_to_pay as
with paid as (
    select source, invoice_id, max(applied_on) as paid_on
    from mart.payment_applications
    where invoice_id is not null and status <> 'deleted' and amount > 0 and amount > refunded
    group by source, invoice_id
)
select
    i.source, i.id as invoice_id, i.number, i.client_id, i.client_number, i.client_name, i.client_status,
    i.country, i.country_code, i.currency_code, i.date, i.due_date, p.paid_on, i.amount,
    cast(p.paid_on - i.date as integer) as days_to_pay, cast(p.paid_on - i.due_date as integer) as days_late
from mart.invoices as i
join paid as p on p.source = i.source and p.invoice_id = i.id
where i.document_status = 'paid' and i.status <> 'deleted'
