-- What of the balances is of clients that the server no longer lists, by currency.
select source, currency_code as currency, count(*) as clients, sum(balance) as balance
from mart.unlisted_clients
where source = coalesce($source, source)
group by source, currency_code
order by source, clients desc, currency_code
