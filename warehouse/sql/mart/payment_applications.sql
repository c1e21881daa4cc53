-- One row per use of a payment: the invoice that it pays, or the credit that it uses.
-- applied_on: the payment's date if it was applied as it was entered, else the day it was applied, in the company's time
-- zone, but never before the payment's date. refunded_on: the day of the last change of a refunded use, because the records
-- do not hold the day of a refund. refunded: the server writes a refund on every application of the payment to the
-- invoice, so it is counted on one of them. is_known is false if the warehouse does not have the invoice or credit.
create view mart.payment_applications as
with twice as (
    select source, payment_id, invoice_id, max(refunded) as refunded, min(id) as id
    from ninja.payment_applications
    where refunded <> 0 and invoice_id is not null
    group by source, payment_id, invoice_id
    having count(*) > 1
),
uses as (
    select
        a.source, a.id, a.payment_id, a.invoice_id, a.credit_id, a.amount, a.created_at, a.updated_at,
        cast(case when t.id is null then a.refunded when t.id = a.id then t.refunded else 0 end as decimal(20, 6)) as refunded,
        p.number as payment_number, p.client_id, p.date as payment_date, p.is_deleted, z.time_zone,
        case  -- entered with its applications: within a minute
            when p.date is not null and a.created_at <= p.created_at + interval '1 minute' then p.date
            else greatest(cast(coalesce(a.created_at, p.created_at) at time zone z.time_zone as date), p.date)
        end as applied_on
    from ninja.payment_applications as a
    join ninja.payments as p on p.source = a.source and p.id = a.payment_id
    left join twice as t on t.source = a.source and t.payment_id = a.payment_id and t.invoice_id = a.invoice_id and a.refunded <> 0
    left join mart.companies as z on z.source = a.source
)
select
    u.source, u.id, u.payment_id, u.payment_number, u.payment_date,
    case when u.is_deleted then 'deleted' else 'active' end as status,
    u.client_id, u.invoice_id, i.number as invoice_number, i.date as invoice_date, u.credit_id, k.number as credit_number,
    coalesce(i.id, k.id) is not null as is_known,
    u.amount, u.refunded, u.applied_on,
    case when u.refunded <> 0 then greatest(cast(u.updated_at at time zone u.time_zone as date), u.applied_on) end as refunded_on,
    u.created_at, u.updated_at
from uses as u
left join ninja.invoices as i on i.source = u.source and i.id = u.invoice_id
left join ninja.credits as k on k.source = u.source and k.id = u.credit_id
