-- One row per credit, including archived and deleted ones: its client, the client's currency, its status in words.
-- balance is the part that can still be used. A deleted credit keeps it. invoice_id is the invoice that the credit reverses.
-- client_status is unknown for a credit whose client the warehouse does not have, and it has no currency then.
create view mart.credits as
select
    k.source, k.id, k.number, k.client_id, c.number as client_number, c.display_name as client_name,
    case
        when c.id is null then 'unknown' when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived'
        else 'active'
    end as client_status,
    l.name as country, l.iso_3166_2 as country_code, cur.code as currency_code,
    case when k.is_deleted then 'deleted' when k.archived_at is not null then 'archived' else 'active' end as status,
    case k.status_id
        when '1' then 'draft'
        when '2' then 'sent'
        when '3' then 'partly used'
        when '4' then 'used'
        else coalesce(k.status_id, 'unknown')
    end as document_status,
    k.date, k.due_date,
    k.amount, k.balance, k.paid_to_date, k.partial, k.partial_due_date, k.total_taxes, k.discount, k.is_amount_discount,
    k.exchange_rate, k.po_number, k.invoice_id,
    k.custom_value1, k.custom_value2, k.custom_value3, k.custom_value4,
    k.private_notes, k.public_notes, k.project_id, k.vendor_id,
    k.user_id, k.assigned_user_id, k.created_at, k.updated_at, k.archived_at
from ninja.credits as k
left join ninja.clients as c on c.source = k.source and c.id = k.client_id
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
