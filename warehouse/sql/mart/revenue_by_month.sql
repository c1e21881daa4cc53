-- One row per month, currency and country of the client: the sums invoiced, credited and paid in that month.
-- invoiced: by the date of the invoice, without drafts, cancelled and deleted ones, credited: by the date of the credit. paid and
-- refunded: by the date of the payment, without deleted, cancelled and failed ones, money only. Reversed invoices count as
-- invoiced, and the credits that reverse them as credited. Clients deleted since are counted too. month is NULL for documents
-- without a date. payments: those with money, not those that only use a credit.
create view mart.revenue_by_month as
with booked as (
    select
        source, currency_code, country, country_code, date, 1 as invoices, amount as invoiced,
        0 as credited, 0 as payments, 0 as paid, 0 as refunded
    from mart.invoices
    where status <> 'deleted' and document_status not in ('draft', 'cancelled')
    union all
    select source, currency_code, country, country_code, date, 0, 0, amount, 0, 0, 0
    from mart.credits
    where status <> 'deleted' and document_status <> 'draft'
    union all
    select source, currency_code, country, country_code, date, 0, 0, 0, case when amount <> 0 then 1 else 0 end, amount, refunded
    from mart.payments
    where status <> 'deleted' and document_status not in ('cancelled', 'failed')
)
select
    source, cast(date_trunc('month', date) as date) as month, currency_code, country, country_code,
    cast(sum(invoices) as bigint) as invoices, cast(sum(invoiced) as decimal(38, 6)) as invoiced,
    cast(sum(credited) as decimal(38, 6)) as credited, cast(sum(payments) as bigint) as payments,
    cast(sum(paid) as decimal(38, 6)) as paid, cast(sum(refunded) as decimal(38, 6)) as refunded
from booked
group by source, cast(date_trunc('month', date) as date), currency_code, country, country_code
