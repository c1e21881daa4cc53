-- What clients owe and have overpaid by currency, where most is owed first: amounts of two currencies are never added.
select
    source, currency_code as currency, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
    sum(case when balance > 0 then balance else 0 end) as owed, count(case when balance < 0 then 1 end) as creditors,
    sum(case when balance < 0 then -balance else 0 end) as overpaid, sum(balance) as net,
    sum(paid_to_date) as paid_to_date, sum(credit_balance) as credit_balance
from {balances}
where source = coalesce($source, source)
group by source, currency_code
order by source, owed desc, currency_code
