-- One row per client and day in the company's time zone: the balance at the end of that day.
-- Days run from the client's first known version until today (the balance now) or the day before it vanished. A day without
-- a change has the balance of the day before. Filter by client or by day: all days of all clients are many rows.
-- Currency and status are the version's. A client without its own currency has today's currency of its group or company.
create view mart.client_balance_daily as
with oldest as (
    select source, min(valid_from) as valid_from from control.client_versions group by source
    union all
    select source, min(valid_from) from ninja.clients group by source
),
first_days as (  -- no zone is a day behind UTC
    select source, cast(min(valid_from) at time zone 'UTC' as date) - 1 as day from oldest group by source
),
zone_days as (
    select c.source, c.time_zone, f.day + cast(s.n as integer) as day
    from first_days as f
    join mart.companies as c on c.source = f.source
    cross join generate_series(0, 9999) as s(n)
    where f.day + cast(s.n as integer) <= cast(now() at time zone c.time_zone as date)
),
days as (  -- grouped, so that Postgres computes the end of a day once, not once for each version
    select source, day, cast(day + 1 as timestamp) at time zone time_zone as ends_at
    from zone_days
    group by source, day, cast(day + 1 as timestamp) at time zone time_zone
)
select
    h.source, h.id, d.day, h.number, h.display_name, h.status, h.currency_code, h.balance, h.paid_to_date, h.credit_balance
from mart.client_history as h
join days as d on d.source = h.source and h.valid_from < d.ends_at and (h.valid_to is null or h.valid_to >= d.ends_at)
