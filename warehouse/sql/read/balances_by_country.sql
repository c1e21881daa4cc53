-- What clients owe and have overpaid by country: the currency in which most is owed first, in it the country that owes most.
select source, country, currency, clients, debtors, owed, creditors, overpaid, net
from (
    select
        source, country, currency_code as currency, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
        sum(case when balance > 0 then balance else 0 end) as owed, count(case when balance < 0 then 1 end) as creditors,
        sum(case when balance < 0 then -balance else 0 end) as overpaid, sum(balance) as net
    from {balances}
    where source = coalesce($source, source)
    group by source, country, currency_code
) as countries
order by source, sum(owed) over (partition by source, currency) desc, currency, owed desc, country
