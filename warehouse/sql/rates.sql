-- Rates of exchange.

-- :name codes
-- The codes of the server's currencies.
select code from ninja.currencies where source = $source

-- :name company_currency
-- The currency of a source's company.
select currency_code from mart.companies where source = $source and currency_code is not null

-- :name insert
-- Note rates.
insert into control.exchange_rates (source, day, currency_code, company_currency, rate, origin, noted_at)
select
    $source, unnest(cast($days as date[])), unnest(cast($codes as varchar[])), $company_currency,
    unnest(cast($rates as decimal(18, 8)[])), $origin, $now

-- :name last
-- The last rate of each currency that came from one origin.
select currency_code, rate
from (
    select currency_code, rate, row_number() over (partition by currency_code order by day desc) as place
    from control.exchange_rates
    where source = $source and company_currency = $company_currency and origin = $origin
) as ranked
where place = 1

-- :name remove
-- Remove the rates of some days and currencies that came from one origin.
delete from control.exchange_rates
where source = $source and company_currency = $company_currency and origin = $origin
    and (day, currency_code) in (select unnest(cast($days as date[])), unnest(cast($codes as varchar[])))

-- :name remove_of_file
-- Remove the rate of an origin for a day.
delete from control.exchange_rates
where source = $source and day = $day and currency_code = $currency_code and origin = $origin

-- :name there
-- Whether there is a rate of an origin for a day.
select 1 from control.exchange_rates
where source = $source and day = $day and currency_code = $currency_code and origin = $origin

-- :name units
-- The units of each currency for one unit of the server's base currency.
select code, exchange_rate from ninja.currencies where source = $source and exchange_rate > 0 order by code
