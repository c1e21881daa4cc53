-- One row per client, as in mart.aging_by_invoice_date, at the end of a day: the amounts owed, by the age of its invoices then.
-- It adds up mart.open_items_as_of, which says how it is computed. No column is personal: join mart.clients for names.
create function mart.aging_by_invoice_date_as_of(as_of_day date) returns table (
    source varchar, day date, client_id varchar, client_number varchar, client_status varchar, country varchar,
    country_code varchar, currency_code varchar, open_invoices bigint, most_days_old integer, age_0_30 decimal(38, 6), age_31_60 decimal(38, 6),
    age_61_90 decimal(38, 6), age_over_90 decimal(38, 6), owed decimal(38, 6), overpaid decimal(38, 6), net decimal(38, 6)
) as
select
    source, day, client_id, client_number, client_status, country, country_code, currency_code,
    count(case when open_amount > 0 and part <> 'rest' then 1 end) as open_invoices, max(case when open_amount > 0 then days_old end) as most_days_old,
    cast(sum(case when open_amount > 0 and coalesce(days_old, 0) <= 30 then open_amount else 0 end) as decimal(38, 6)) as age_0_30,
    cast(sum(case when open_amount > 0 and days_old between 31 and 60 then open_amount else 0 end) as decimal(38, 6)) as age_31_60,
    cast(sum(case when open_amount > 0 and days_old between 61 and 90 then open_amount else 0 end) as decimal(38, 6)) as age_61_90,
    cast(sum(case when open_amount > 0 and days_old > 90 then open_amount else 0 end) as decimal(38, 6)) as age_over_90,
    cast(sum(case when open_amount > 0 then open_amount else 0 end) as decimal(38, 6)) as owed,
    cast(sum(case when open_amount < 0 then -open_amount else 0 end) as decimal(38, 6)) as overpaid,
    cast(sum(open_amount) as decimal(38, 6)) as net
from mart.open_items_as_of(as_of_day)
where client_status <> 'deleted'
group by source, day, client_id, client_number, client_status, country, country_code, currency_code
