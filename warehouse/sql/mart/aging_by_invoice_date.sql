-- One row per client with an open invoice: the amounts owed, by the days since the date of the invoice, today.
-- The columns from age_0_30 to age_over_90 add up to owed. Due dates do not count here: see mart.aging for days overdue. An invoice
-- without a date, or dated ahead, is in age_0_30. Deleted clients are left out.
create view mart.aging_by_invoice_date as
select
    source, day, client_id, client_number, client_name, client_status, country, country_code, currency_code,
    count(case when open_amount > 0 and part <> 'rest' then 1 end) as open_invoices, max(case when open_amount > 0 then days_old end) as most_days_old,
    cast(sum(case when open_amount > 0 and coalesce(days_old, 0) <= 30 then open_amount else 0 end) as decimal(38, 6)) as age_0_30,
    cast(sum(case when open_amount > 0 and days_old between 31 and 60 then open_amount else 0 end) as decimal(38, 6)) as age_31_60,
    cast(sum(case when open_amount > 0 and days_old between 61 and 90 then open_amount else 0 end) as decimal(38, 6)) as age_61_90,
    cast(sum(case when open_amount > 0 and days_old > 90 then open_amount else 0 end) as decimal(38, 6)) as age_over_90,
    cast(sum(case when open_amount > 0 then open_amount else 0 end) as decimal(38, 6)) as owed,
    cast(sum(case when open_amount < 0 then -open_amount else 0 end) as decimal(38, 6)) as overpaid,
    cast(sum(open_amount) as decimal(38, 6)) as net
from mart.open_items
where client_status <> 'deleted'
group by source, day, client_id, client_number, client_name, client_status, country, country_code, currency_code
