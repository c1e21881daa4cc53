-- One row per currency: the exact amounts, and beside them the same converted into the company's currency.
-- rate_day is the day of the rate: the last one known. Amounts without a rate are not converted: their converted columns are
-- NULL. Converted amounts are rounded to the company's currency. They are for orientation: never add them to exact ones.
create view mart.balances_in_company_currency as
with last_rates as (
    select
        source, currency_code, company_currency, day, rate, origin,
        row_number() over (partition by source, currency_code, company_currency order by day desc) as place
    from mart.exchange_rates
    where day <= current_date
),
company as (
    select
        source, currency_code,
        case  -- by ISO 4217, as the commands write amounts: the server's own list has fewer of them
            when currency_code in (
                'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
            ) then 0
            when currency_code in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
            else 2
        end as decimals
    from mart.companies
),
rated as (
    select
        b.source, b.currency_code, b.clients, b.debtors, b.creditors, b.owed, b.overpaid, b.net, co.currency_code as company_currency, co.decimals,
        case when b.currency_code = co.currency_code then cast(1 as decimal(18, 8)) else r.rate end as rate,
        r.day as rate_day, r.origin as rate_origin
    from mart.balances_by_currency as b
    join company as co on co.source = b.source
    left join last_rates as r
        on r.source = b.source and r.currency_code = b.currency_code and r.company_currency = co.currency_code and r.place = 1
        and b.currency_code <> co.currency_code
),
converted as (
    select *, cast(owed as decimal(20, 6)) * rate as owed_there, cast(overpaid as decimal(20, 6)) * rate as overpaid_there
    from rated
),
rounded as (  -- each cast: DuckDB gives all branches the scale of the first one
    select
        *,
        case decimals
            when 0 then cast(round(owed_there, 0) as decimal(38, 6))
            when 3 then cast(round(owed_there, 3) as decimal(38, 6))
            else cast(round(owed_there, 2) as decimal(38, 6))
        end as owed_converted,
        case decimals
            when 0 then cast(round(overpaid_there, 0) as decimal(38, 6))
            when 3 then cast(round(overpaid_there, 3) as decimal(38, 6))
            else cast(round(overpaid_there, 2) as decimal(38, 6))
        end as overpaid_converted
    from converted
)
select
    source, currency_code, clients, debtors, creditors, owed, overpaid, net, company_currency, rate, rate_day, rate_origin,
    owed_converted, overpaid_converted, cast(owed_converted - overpaid_converted as decimal(38, 6)) as net_converted
from rounded
