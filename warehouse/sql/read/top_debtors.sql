-- The clients who owe most in each currency, the currency in which most is owed first.
select source, currency, place, number, client, country, balance, paid_to_date
from (
    select
        source, currency_code as currency, number, display_name as client, country, balance, paid_to_date,
        row_number() over (partition by source, currency_code order by balance desc, id) as place,
        sum(balance) over (partition by source, currency_code) as owed
    from {balances}
    where balance > 0 and source = coalesce($source, source)
) as debtors
where place <= $most
order by source, owed desc, currency, place
