-- One row per part of an invoice that was open at the end of a day, as in mart.open_items, which it equals for today.
-- It is computed from the documents themselves, so also for days before the first pull. An invoice stands from its date, or
-- from the day it was entered if it has none. Open is its balance now, plus applications after the day, less refunds after it.
-- A cancelled or reversed invoice was open until its last change. Drafts and deleted invoices count for no day. A later day,
-- or none, counts as today. No column is personal: join mart.clients for names.
create function mart.open_items_as_of(as_of_day date) returns table (
    source varchar, day date, invoice_id varchar, number varchar, client_id varchar, client_number varchar, client_status varchar,
    country varchar, country_code varchar, currency_code varchar, document_status varchar, date date, due_date date, part varchar,
    days_overdue integer, days_old integer, bucket varchar, open_amount decimal(20, 6)
) as
with days as (
    select
        source, time_zone, least(cast(as_of_day as date), cast(now() at time zone time_zone as date)) as day,
        coalesce(cast(as_of_day as date) >= cast(now() at time zone time_zone as date), true) as is_now
    from mart.companies
),
undone as (
    select
        a.source, a.invoice_id, sum(case when a.applied_on > d.day then a.amount else 0 end) as applied,
        sum(
            case when a.applied_on > d.day then a.amount else 0 end
            - case when a.refunded_on > d.day then a.refunded else 0 end
        ) as amount
    from mart.payment_applications as a
    join days as d on d.source = a.source
    where
        not d.is_now and a.invoice_id is not null and a.status <> 'deleted'
        and (a.applied_on > d.day or a.refunded_on > d.day)
    group by a.source, a.invoice_id
),
rolled as (
    select
        i.source, i.id as invoice_id, i.number, i.client_id, i.client_number, i.client_status,
        i.country, i.country_code, i.currency_code, i.document_status, i.date, i.due_date, i.partial_due_date, d.day,
        i.partial, coalesce(u.applied, 0) as applied_later,
        case
            when i.document_status not in ('cancelled', 'reversed') then i.balance + coalesce(u.amount, 0)
            when d.is_now or coalesce(cast(i.updated_at at time zone d.time_zone as date) <= d.day, true)
                then case when i.document_status = 'reversed' then i.balance else 0 end
            else i.amount - i.paid_to_date + coalesce(u.amount, 0)
        end as open_whole
    from mart.invoices as i
    join days as d on d.source = i.source
    left join undone as u on u.source = i.source and u.invoice_id = i.id
    where i.status <> 'deleted' and i.document_status <> 'draft'
        and (d.is_now or coalesce(i.date, cast(i.created_at at time zone d.time_zone as date), d.day) <= d.day)
        and (i.balance <> 0 or u.amount <> 0 or i.document_status in ('cancelled', 'reversed'))
),
standing as (
    select
        r.*,
        case
            when r.partial > 0 and r.partial_due_date is not null and r.open_whole > 0
                then least(greatest(r.partial + r.applied_later, 0), r.open_whole)  -- a refund does not ask for it again
            else 0
        end as deposit
    from rolled as r
    where r.open_whole <> 0
),
parts as (  -- one reference to `standing`, so that Postgres reads one client's invoices alone
    select
        s.*, case when k.n = 1 then 'deposit' when s.deposit > 0 then 'rest' else 'whole' end as part,
        case when k.n = 1 then s.partial_due_date else s.due_date end as part_due_date,
        case when k.n = 1 then s.deposit else s.open_whole - s.deposit end as open_amount
    from standing as s
    cross join (select 1 as n union all select 2) as k
    where case when k.n = 1 then s.deposit > 0 else s.open_whole <> s.deposit end
)
select
    p.source, p.day, p.invoice_id, p.number, p.client_id, p.client_number, p.client_status, p.country, p.country_code, p.currency_code,
    p.document_status, p.date, p.part_due_date as due_date, p.part,
    cast(
        case
            when p.part_due_date is null then null
            when p.open_amount > 0 then greatest(p.day - p.part_due_date, 0)
            else 0
        end as integer
    ) as days_overdue,
    cast(case when p.date is not null then greatest(p.day - p.date, 0) end as integer) as days_old,
    case
        when p.open_amount < 0 then 'overpaid'
        when p.part_due_date is null or p.part_due_date >= p.day then 'not due'
        when p.part_due_date >= p.day - 30 then '1-30'
        when p.part_due_date >= p.day - 60 then '31-60'
        when p.part_due_date >= p.day - 90 then '61-90'
        else 'over 90'
    end as bucket,
    cast(p.open_amount as decimal(20, 6)) as open_amount
from parts as p
