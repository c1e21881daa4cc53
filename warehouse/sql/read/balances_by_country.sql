-- What clients owe by country and currency, where most clients are first.
select source, country, currency_code as currency, count(*) as clients, sum(balance) as balance
from {balances}
where source = coalesce($source, source)
group by source, country, currency_code
order by source, clients desc, country, currency_code
