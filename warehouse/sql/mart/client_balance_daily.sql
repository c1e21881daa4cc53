-- One row per client and day in the company's time zone: the balance at the end of that day.
-- Days run from the client's first known version until today (the balance now) or the day before it vanished. A day without
-- a change has the balance of the day before. Filter by client or by day: all days of all clients are many rows.
-- Currency and status are the version's. A client without its own currency has today's currency of its group or company.
create view mart.client_balance_daily as
with digits as (
    select 0 as n union all select 1 union all select 2 union all select 3 union all select 4
    union all select 5 union all select 6 union all select 7 union all select 8 union all select 9
),
spans as (
    select
        h.source, h.id, h.number, h.display_name, h.status, h.currency_code, h.balance, h.paid_to_date, h.credit_balance,
        cast(h.valid_from at time zone c.time_zone as date) as first_day,
        case
            when h.valid_to is null then cast(now() at time zone c.time_zone as date)
            else cast(h.valid_to at time zone c.time_zone as date) - 1
        end as last_day
    from mart.client_history as h
    join mart.companies as c on c.source = h.source
),
first_days as (
    select cast(min(valid_from) as date) - 1 as first_day
    from (
        select min(valid_from) as valid_from from control.client_versions
        union all
        select min(valid_from) as valid_from from ninja.clients
    ) as oldest
),
days as (
    select f.first_day + (a.n + 10 * b.n + 100 * c.n + 1000 * d.n) as day
    from first_days as f
    cross join digits as a
    cross join digits as b
    cross join digits as c
    cross join digits as d
    where f.first_day + (a.n + 10 * b.n + 100 * c.n + 1000 * d.n) <= cast(now() as date) + 1
)
select
    s.source, s.id, d.day, s.number, s.display_name, s.status, s.currency_code, s.balance, s.paid_to_date, s.credit_balance
from spans as s
join days as d on d.day >= s.first_day and d.day <= s.last_day
