-- One row per client that is not deleted: its balance, the amount paid and its credit, in its own currency.
create view mart.client_balances as
select
    source, id, number, display_name, status, currency_code, country, country_code, group_name, industry,
    balance, paid_to_date, credit_balance, payment_balance, updated_at
from mart.clients
where status <> 'deleted'
