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
