-- Queries of `ninja-sync history`.

-- :name pulls
-- The days on which a pull of a source began, in its company's time zone; idle ones count too.
select distinct r.source, cast(r.began_at at time zone c.time_zone as date) as day
from control.runs as r
join mart.companies as c on c.source = r.source
where r.entity = 'clients' and r.source = coalesce($source, r.source)
order by r.source, day

-- :name spans
-- The day it is for each company, and the first day for which no version was removed for its age.
-- A retention removes all versions that ended before a moment, and no run. So if the first runs that ended versions have
-- none left, versions are complete from the first end that is kept. An erasure empties a run too, but seldom the first.
with ends as (
    select source, ended_run_id, min(valid_to) as first_end from control.client_versions group by source, ended_run_id
),
kept as (
    select source, min(first_end) as first_end from ends group by source
),
emptied as (
    select r.source, max(r.finished_at) as finished_at
    from control.runs as r
    left join ends as e on e.source = r.source and e.ended_run_id = r.run_id
    left join kept as k on k.source = r.source
    where r.entity = 'clients' and r.updated + r.vanished > 0 and e.source is null
        and r.began_at <= coalesce(k.first_end, r.began_at)
    group by r.source
)
select
    c.source, cast(now() at time zone c.time_zone as date) as today,
    case
        when m.source is not null
            then cast(coalesce(k.first_end, m.finished_at) at time zone c.time_zone as date)
    end as complete_from
from mart.companies as c
left join emptied as m on m.source = c.source
left join kept as k on k.source = c.source
where c.source = coalesce($source, c.source)
order by c.source

-- :name sums
-- The amounts owed and overpaid at the end of each day on which a version of a client begins or ends, by currency.
-- These are the sums of mart.client_balance_daily without its rows for each client and day: a version is added on the first
-- day at whose end it holds, and subtracted on the first one at whose end it does not. Where midnight comes twice, the
-- second one ends the day, as in that view.
with moments as (
    select h.source, h.currency_code, h.balance, c.time_zone, h.valid_from as moment, 1 as clients
    from mart.client_history as h
    join mart.companies as c on c.source = h.source
    where h.status <> 'deleted' and h.source = coalesce($source, h.source)
    union all
    select h.source, h.currency_code, h.balance, c.time_zone, h.valid_to, -1
    from mart.client_history as h
    join mart.companies as c on c.source = h.source
    where h.status <> 'deleted' and h.valid_to is not null and h.source = coalesce($source, h.source)
),
dated as (
    select *, cast(moment at time zone time_zone as date) as local_day from moments
),
changes as (
    select
        source, currency_code, clients,
        case when moment < cast(local_day as timestamp) at time zone time_zone then local_day - 1 else local_day end as day,
        case when balance > 0 then clients else 0 end as debtors,
        case when balance < 0 then clients else 0 end as creditors,
        case when balance > 0 then (case when clients > 0 then balance else -balance end) else 0 end as owed,
        case when balance < 0 then (case when clients > 0 then -balance else balance end) else 0 end as overpaid
    from dated
),
by_day as (
    select
        source, currency_code, day, sum(clients) as clients, sum(debtors) as debtors, sum(owed) as owed,
        sum(creditors) as creditors, sum(overpaid) as overpaid
    from changes
    group by source, currency_code, day
)
select
    source, currency_code as currency, day,
    cast(sum(clients) over up_to_day as bigint) as clients,
    cast(sum(debtors) over up_to_day as bigint) as debtors,
    sum(owed) over up_to_day as owed,
    cast(sum(creditors) over up_to_day as bigint) as creditors,
    sum(overpaid) over up_to_day as overpaid
from by_day
window up_to_day as (partition by source, currency_code order by day)
order by source, currency, day
