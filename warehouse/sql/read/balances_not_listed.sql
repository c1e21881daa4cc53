-- The part of the balances that belongs to clients that the server no longer lists, by currency.
select
    source, currency_code as currency, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
    sum(case when balance > 0 then balance else 0 end) as owed, count(case when balance < 0 then 1 end) as creditors,
    sum(case when balance < 0 then -balance else 0 end) as overpaid, sum(balance) as net
from mart.unlisted_clients
where status <> 'deleted' and source = coalesce($source, source)
group by source, currency_code
order by source, owed desc, currency_code
