-- One row per currency: the amount that clients owe, the amount overpaid, and the net of both.
-- Amounts of two currencies are never added. Deleted clients are left out.
-- currency_code is NULL for clients whose currency is not known.
create view mart.balances_by_currency as
select
    source, currency_code,
    count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
    count(case when balance < 0 then 1 end) as creditors,
    cast(sum(case when balance > 0 then balance else 0 end) as decimal(38, 6)) as owed,
    cast(sum(case when balance < 0 then -balance else 0 end) as decimal(38, 6)) as overpaid,
    cast(sum(balance) as decimal(38, 6)) as net, cast(sum(paid_to_date) as decimal(38, 6)) as paid_to_date,
    cast(sum(credit_balance) as decimal(38, 6)) as credit_balance
from mart.clients
where status <> 'deleted'
group by source, currency_code
