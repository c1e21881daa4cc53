-- One row per currency and day for which a rate is known: the value of one unit in the company's currency.
-- A rate holds from its day until the next one. origin: file (`ninja-sync rates add`) or server. If both have a rate for a
-- day, that of the file is here. The server's rates are noted daily. Without a service for them, it has none.
create view mart.exchange_rates as
with ranked as (
    select
        source, currency_code, company_currency, day, rate, origin,
        row_number() over (partition by source, currency_code, company_currency, day order by origin, noted_at desc) as place
    from control.exchange_rates
)
select source, day, currency_code, company_currency, rate, origin from ranked where place = 1
