-- Queries of `ninja-sync aging`. `figures` is a view or function of ageing, `sums` its columns added up.

-- :name by_client
-- The amounts that each client owes by age: the currency with most owed first, and in it the client that owes most.
select
    source, day as day, currency_code as currency, client_number as number, client_name as client, country,
    {columns}
from {figures}
where source = coalesce($source, source)
order by source, sum(owed) over (partition by source, currency_code) desc, currency_code, owed desc, client_id

-- :name by_country
-- The amounts owed by age in each country: the currency with most owed first, and in it the country that owes most.
select source, day, currency, country, clients, debtors, creditors, {columns}
from (
    select
        source, max(day) as day, currency_code as currency, country, count(*) as clients,
        count(case when owed > 0 then 1 end) as debtors, count(case when overpaid > 0 then 1 end) as creditors, {sums}
    from {figures}
    where source = coalesce($source, source)
    group by source, currency_code, country
) as countries
order by source, sum(owed) over (partition by source, currency) desc, currency, owed desc, country

-- :name by_currency
-- The amounts owed by age in each currency, most owed first.
select
    source, max(day) as day, currency_code as currency, count(*) as clients,
    count(case when owed > 0 then 1 end) as debtors, count(case when overpaid > 0 then 1 end) as creditors, {sums}
from {figures}
where source = coalesce($source, source)
group by source, currency_code
order by source, sum(owed) desc, currency_code

-- :name last_load
-- The end of the last run that stored a change of one source, or of any.
select max(finished_at) as last_load_at from control.runs where changed and source = coalesce($source, source)

-- :name last_load_of_views
-- The end of the last load of one source, or of any, for a role that may read the views only.
select max(last_load_at) as last_load_at from {mart}.load_status where source = coalesce($source, source)

-- :name left_out
-- The open invoices of deleted clients, by currency: ageing leaves them out.
select
    source, currency_code as currency, count(distinct invoice_id) as invoices,
    sum(case when open_amount > 0 then open_amount else 0 end) as owed,
    sum(case when open_amount < 0 then -open_amount else 0 end) as overpaid, sum(open_amount) as net
from {items}
where client_status = 'deleted' and source = coalesce($source, source)
group by source, currency_code
order by source, currency_code

-- :name clients
-- The figures of each client without personal data, in the order of `aging/by_client`.
select source, day, client_id, currency_code as currency, most_days_overdue, {columns}
from {figures}
order by source, sum(owed) over (partition by source, currency_code) desc, currency_code, owed desc, client_id

-- :name items
-- The open items of one client, or of all, the one longest overdue first.
select
    i.source, i.day, i.client_id, i.number, i.part, i.date, i.due_date, i.days_overdue, i.bucket,
    i.currency_code as currency, i.open_amount
from {items} as i
where i.source = coalesce($source, i.source) and i.client_id = coalesce($id, i.client_id)
order by i.days_overdue desc nulls last, i.due_date nulls last, i.date, i.number, i.part, i.invoice_id

-- :name names
-- The numbers, names and countries of some clients.
select c.source, c.id, c.number, c.display_name as client, l.name as country
from ninja.clients as c
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
where c.id in (select unnest(cast($ids as varchar[])))

-- :name names_of_views
-- The same for a role that may read the views only.
select source, id, {names}, country from {mart}.clients where id in (select unnest(cast($ids as varchar[])))

-- :name version
-- What the answers depend on, for each source: its day, and the loads that changed something.
select
    c.source, cast(now() at time zone c.time_zone as date) as day,
    r.runs, r.last_at, (select count(*) from control.erasures) as erasures
from mart.companies as c
cross join (select count(*) as runs, max(finished_at) as last_at from control.runs where changed) as r
order by c.source

-- :name version_of_views
-- The same for a role that may read the views only.
select c.source, cast(now() at time zone c.time_zone as date) as day, s.last_load_at
from {mart}.companies as c
left join {mart}.load_status as s on s.source = c.source
order by c.source
