-- One row per currency: the amount that clients owe, the amount overpaid, and the net of both.
-- Amounts of two currencies are never added. Deleted clients are left out.
-- currency_code is NULL for clients whose currency is not known.
create view mart.balances_by_currency as
with sums as (  -- a few groups of ids, so that names are looked up a few times and not once for each client
    select
        source, currency_id, group_settings_id, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
        count(case when balance < 0 then 1 end) as creditors, sum(case when balance > 0 then balance else 0 end) as owed,
        sum(case when balance < 0 then -balance else 0 end) as overpaid, sum(balance) as net,
        sum(paid_to_date) as paid_to_date, sum(credit_balance) as credit_balance
    from ninja.clients
    where not is_deleted
    group by source, currency_id, group_settings_id
)
select
    s.source, cur.code as currency_code,
    cast(sum(s.clients) as bigint) as clients, cast(sum(s.debtors) as bigint) as debtors,
    cast(sum(s.creditors) as bigint) as creditors,
    cast(sum(s.owed) as decimal(38, 6)) as owed,
    cast(sum(s.overpaid) as decimal(38, 6)) as overpaid,
    cast(sum(s.net) as decimal(38, 6)) as net, cast(sum(s.paid_to_date) as decimal(38, 6)) as paid_to_date,
    cast(sum(s.credit_balance) as decimal(38, 6)) as credit_balance
from sums as s
left join ninja.group_settings as g on g.source = s.source and g.id = s.group_settings_id
left join ninja.companies as co on co.source = s.source
left join ninja.currencies as cur
    on cur.source = s.source and cur.id = coalesce(s.currency_id, g.currency_id, co.currency_id)
group by s.source, cur.code
