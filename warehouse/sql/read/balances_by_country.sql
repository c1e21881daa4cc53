-- What clients owe by country and currency, the highest of each currency first.
select source, country, currency_code as currency, count(*) as clients, sum(balance) as balance
from mart.client_balances
where source = coalesce($source, source)
group by source, country, currency_code
order by source, currency_code, balance desc, country
limit $most
