-- One row per client, as in mart.aging, at the end of a day: the amounts owed, by days overdue then.
-- It is computed as mart.open_items_as_of, and so are unapplied payments and open credits, each from the date of the payment
-- or credit. Money for an invoice that is dated later is unapplied. The day of a refund that belongs to no invoice is the
-- payment's last change. A later day, or none, counts as today, which equals mart.aging. No column is personal: join
-- mart.clients for names.
create function mart.aging_as_of(as_of_day date) returns table (
    source varchar, day date, client_id varchar, client_number varchar, client_status varchar, country varchar,
    country_code varchar, currency_code varchar, open_invoices bigint, most_days_overdue integer, not_due decimal(38, 6), overdue_1_30 decimal(38, 6),
    overdue_31_60 decimal(38, 6), overdue_61_90 decimal(38, 6), overdue_over_90 decimal(38, 6),
    without_due_date decimal(38, 6), owed decimal(38, 6), overpaid decimal(38, 6), net decimal(38, 6),
    unapplied_payments decimal(38, 6), open_credits decimal(38, 6)
) as
with days as (
    select
        source, time_zone, least(cast(as_of_day as date), cast(now() at time zone time_zone as date)) as day,
        coalesce(cast(as_of_day as date) >= cast(now() at time zone time_zone as date), true) as is_now
    from mart.companies
),
later as (  -- uses and refunds after the day, and uses for invoices dated after it
    select
        a.source, a.payment_id, a.invoice_id, a.credit_id,
        case
            when a.applied_on > d.day then a.amount
            when a.invoice_date > d.day then a.amount - case when a.refunded_on <= d.day then a.refunded else 0 end
            else 0
        end as used,
        case when a.refunded_on > d.day then a.refunded else 0 end as refunded
    from mart.payment_applications as a
    join days as d on d.source = a.source
    where not d.is_now and a.status <> 'deleted'
        and (a.applied_on > d.day or a.refunded_on > d.day or a.invoice_date > d.day)
),
paid_later as (
    select source, payment_id, sum(case when invoice_id is not null then used else -used end) as used
    from later
    group by source, payment_id
),
used_later as (
    select source, credit_id, sum(used - refunded) as used
    from later
    where credit_id is not null
    group by source, credit_id
),
payments as (
    select
        p.source, p.client_id, p.client_number, p.client_status, p.country, p.country_code, p.currency_code,
        p.unapplied + coalesce(l.used, 0)
            + case
                when not d.is_now and cast(p.updated_at at time zone d.time_zone as date) > d.day
                    then p.amount - p.applied - p.unapplied
                else 0
            end as unapplied
    from mart.payments as p
    join days as d on d.source = p.source
    left join paid_later as l on l.source = p.source and l.payment_id = p.id
    where
        p.status <> 'deleted' and p.document_status not in ('cancelled', 'failed')
        and (d.is_now or coalesce(p.date, cast(p.created_at at time zone d.time_zone as date), d.day) <= d.day)
),
credits as (
    select
        k.source, k.client_id, k.client_number, k.client_status, k.country, k.country_code, k.currency_code,
        k.balance + coalesce(l.used, 0) as balance
    from mart.credits as k
    join days as d on d.source = k.source
    left join used_later as l on l.source = k.source and l.credit_id = k.id
    where
        k.status <> 'deleted' and k.document_status <> 'draft'
        and (d.is_now or coalesce(k.date, cast(k.created_at at time zone d.time_zone as date), d.day) <= d.day)
),
figures as (
    select source, client_id, client_number, client_status, country, country_code, currency_code, bucket, part, due_date, days_overdue, open_amount, 0 as unapplied, 0 as credit
    from mart.open_items_as_of(as_of_day)
    union all
    select source, client_id, client_number, client_status, country, country_code, currency_code, null, null, null, null, 0, unapplied, 0
    from payments
    where unapplied <> 0
    union all
    select source, client_id, client_number, client_status, country, country_code, currency_code, null, null, null, null, 0, 0, balance
    from credits
    where balance <> 0
)
select
    source, day, client_id, client_number, client_status, country, country_code, currency_code,
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
group by day, source, client_id, client_number, client_status, country, country_code, currency_code
