-- One row per industry and currency: the amount that its clients owe, the amount overpaid, and the net of both.
-- Amounts of two currencies are never added. Deleted clients are left out. industry is NULL for clients without one.
create view mart.balances_by_industry as
select
    source, industry, currency_code,
    count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
    count(case when balance < 0 then 1 end) as creditors,
    cast(sum(case when balance > 0 then balance else 0 end) as decimal(38, 6)) as owed,
    cast(sum(case when balance < 0 then -balance else 0 end) as decimal(38, 6)) as overpaid,
    cast(sum(balance) as decimal(38, 6)) as net, cast(sum(paid_to_date) as decimal(38, 6)) as paid_to_date,
    cast(sum(credit_balance) as decimal(38, 6)) as credit_balance
from mart.clients
where status <> 'deleted'
group by source, industry, currency_code
