-- One row per invoice, including archived and deleted ones: its client, the client's currency, its status in words.
-- A deleted invoice keeps its balance: never sum balances without `status <> 'deleted'`. mart.open_items has the open parts.
-- client_status is unknown for an invoice whose client the warehouse does not have, and it has no currency then.
create view mart.invoices as
select
    i.source, i.id, i.number, i.client_id, c.number as client_number, c.display_name as client_name,
    case
        when c.id is null then 'unknown' when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived'
        else 'active'
    end as client_status,
    l.name as country, l.iso_3166_2 as country_code, cur.code as currency_code,
    case when i.is_deleted then 'deleted' when i.archived_at is not null then 'archived' else 'active' end as status,
    case i.status_id
        when '1' then 'draft'
        when '2' then 'sent'
        when '3' then 'partly paid'
        when '4' then 'paid'
        when '5' then 'cancelled'
        when '6' then 'reversed'
        else coalesce(i.status_id, 'unknown')
    end as document_status,
    i.date, i.due_date,
    i.amount, i.balance, i.paid_to_date, i.partial, i.partial_due_date, i.total_taxes, i.discount, i.is_amount_discount,
    i.exchange_rate, i.po_number, i.recurring_id,
    i.custom_value1, i.custom_value2, i.custom_value3, i.custom_value4,
    i.private_notes, i.public_notes, i.project_id, i.vendor_id,
    i.user_id, i.assigned_user_id, i.created_at, i.updated_at, i.archived_at
from ninja.invoices as i
left join ninja.clients as c on c.source = i.source and c.id = i.client_id
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
