select
    source || ' ' || id as payment_key, source, id as payment_id, number as payment_number,
    source || ' ' || client_id as client_key, client_status, status, document_status, currency_code,
    date, amount, applied, refunded, unapplied
from {{ source('ninja', 'payments') }}
