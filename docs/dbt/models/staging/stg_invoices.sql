select
    i.source || ' ' || i.id as invoice_key, i.source, i.id as invoice_id, i.number as invoice_number,
    i.source || ' ' || i.client_id as client_key, i.client_status, i.status, i.document_status, i.currency_code,
    i.date, i.due_date, i.amount, i.balance, i.paid_to_date,
    p.paid_on, p.days_to_pay, p.days_late
from {{ source('ninja', 'invoices') }} as i
left join {{ source('ninja', 'days_to_pay') }} as p on p.source = i.source and p.invoice_id = i.id
