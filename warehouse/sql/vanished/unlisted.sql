-- The clients that are here although the server does not list them, those who owe most first.
select id, display_name, currency_code, balance, why
from mart.unlisted_clients
where source = $source
order by abs(balance) desc, display_name collate "C", id collate "C"
limit $most
