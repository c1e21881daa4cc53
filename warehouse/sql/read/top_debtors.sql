-- The clients who owe most in each currency.
select source, currency, place, number, client, country, balance, paid_to_date
from (
    select
        source, currency_code as currency, number, display_name as client, country, balance, paid_to_date,
        row_number() over (partition by source, currency_code order by balance desc, id) as place
    from {balances}
    where balance > 0 and source = coalesce($source, source)
) as debtors
where place <= $most
order by source, currency, place
