-- One row per client with an open invoice, an unapplied payment or an open credit: the amounts owed, by days overdue, today.
-- The five columns from not_due to overdue_over_90 add up to owed. without_due_date is a part of not_due: such invoices are never
-- overdue. overpaid sums up invoices whose balance is below zero, and net is owed less overpaid. Payments and credits stand
-- beside and are not subtracted. Deleted clients are left out. client_status is unknown for a client the warehouse does not have.
create view mart.aging as
with days as (
    select source, cast(now() at time zone time_zone as date) as day from mart.companies
),
figures as (
    select source, client_id, client_number, client_name, client_status, country, country_code, currency_code, bucket, part, due_date, days_overdue, open_amount, 0 as unapplied, 0 as credit
    from mart.open_items
    union all
    select source, client_id, client_number, client_name, client_status, country, country_code, currency_code, null, null, null, null, 0, unapplied, 0
    from mart.payments
    where unapplied <> 0
    union all
    select source, client_id, client_number, client_name, client_status, country, country_code, currency_code, null, null, null, null, 0, 0, balance
    from mart.credits
    where balance <> 0 and status <> 'deleted' and document_status <> 'draft'
)
select
    source, day, client_id, client_number, client_name, client_status, country, country_code, currency_code,
    count(case when open_amount > 0 and part <> 'rest' then 1 end) as open_invoices, max(days_overdue) as most_days_overdue,
    cast(sum(case when bucket = 'not due' then open_amount else 0 end) as decimal(38, 6)) as not_due,
    cast(sum(case when bucket = '1-30' then open_amount else 0 end) as decimal(38, 6)) as overdue_1_30,
    cast(sum(case when bucket = '31-60' then open_amount else 0 end) as decimal(38, 6)) as overdue_31_60,
    cast(sum(case when bucket = '61-90' then open_amount else 0 end) as decimal(38, 6)) as overdue_61_90,
    cast(sum(case when bucket = 'over 90' then open_amount else 0 end) as decimal(38, 6)) as overdue_over_90,
    cast(sum(case when open_amount > 0 and due_date is null then open_amount else 0 end) as decimal(38, 6)) as without_due_date,
    cast(sum(case when open_amount > 0 then open_amount else 0 end) as decimal(38, 6)) as owed,
    cast(sum(case when open_amount < 0 then -open_amount else 0 end) as decimal(38, 6)) as overpaid,
    cast(sum(open_amount) as decimal(38, 6)) as net,
    cast(sum(unapplied) as decimal(38, 6)) as unapplied_payments, cast(sum(credit) as decimal(38, 6)) as open_credits
from figures
join days using (source)
where client_status <> 'deleted'
group by day, source, client_id, client_number, client_name, client_status, country, country_code, currency_code
