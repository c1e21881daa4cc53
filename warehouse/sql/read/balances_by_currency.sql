-- What clients owe, have paid and have in credit, by currency: amounts of two currencies are never added.
select
    source, currency_code as currency, count(*) as clients, sum(case when balance > 0 then 1 else 0 end) as debtors,
    sum(balance) as balance, sum(paid_to_date) as paid_to_date, sum(credit_balance) as credit_balance
from {balances}
where source = coalesce($source, source)
group by source, currency_code
order by source, clients desc, currency_code
