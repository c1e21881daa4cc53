select
    source || ' ' || id as client_key, source, id as client_id, number as client_number, status,
    country, country_code, industry, size, group_name, currency_code,
    balance, paid_to_date, credit_balance, created_at, updated_at
from {{ source('ninja', 'clients') }}
