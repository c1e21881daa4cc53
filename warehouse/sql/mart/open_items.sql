-- One row per open part of an invoice: its open amount, its due date, and the days it is overdue.
-- Open is every invoice with a balance that is no draft and neither deleted nor cancelled. While a deposit is open, it is a part
-- of its own, due on its own date, and the rest is due on the invoice's due date. A part without a due date is not due. A
-- negative amount is an invoice that was overpaid. Today is the company's own day. Clients deleted since are in it: see client_status.
create view mart.open_items as
with days as (
    select source, cast(now() at time zone time_zone as date) as day from mart.companies
),
standing as (
    select
        i.source, i.id as invoice_id, i.number, i.client_id, i.client_number, i.client_name, i.client_status,
        i.country, i.country_code, i.currency_code, i.document_status, i.date, i.due_date, i.partial_due_date, d.day,
        i.balance as open_whole,
        case
            when i.partial > 0 and i.partial_due_date is not null and i.balance > 0 then least(i.partial, i.balance)
            else 0
        end as deposit
    from mart.invoices as i
    join days as d on d.source = i.source
    where i.balance <> 0 and i.status <> 'deleted' and i.document_status not in ('draft', 'cancelled')
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
    p.source, p.day, p.invoice_id, p.number, p.client_id, p.client_number, p.client_name, p.client_status, p.country, p.country_code, p.currency_code,
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
