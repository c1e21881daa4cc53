-- One row per payment, including archived and deleted ones: its client, the client's currency, its status in words.
-- unapplied: the part that pays no invoice yet and was not refunded. It is 0 if the payment is deleted, cancelled or failed.
-- client_status is unknown for a payment whose client the warehouse does not have, and it has no currency then.
create view mart.payments as
with tied as (  -- money refunded of sums that paid invoices, less credits given back: other refunds were of the unapplied part
    select source, payment_id, sum(refunded) as refunded
    from (  -- a refund is written on every application to the invoice
        select source, payment_id, invoice_id, max(refunded) as refunded
        from ninja.payment_applications
        where refunded <> 0 and credit_id is null
        group by source, payment_id, invoice_id
        union all
        select source, payment_id, null, -refunded
        from ninja.payment_applications
        where refunded <> 0 and credit_id is not null
    ) as refunds
    group by source, payment_id
)
select
    p.source, p.id, p.number, p.client_id, c.number as client_number, c.display_name as client_name,
    case
        when c.id is null then 'unknown' when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived'
        else 'active'
    end as client_status,
    l.name as country, l.iso_3166_2 as country_code, cur.code as currency_code,
    case when p.is_deleted then 'deleted' when p.archived_at is not null then 'archived' else 'active' end as status,
    case p.status_id
        when '1' then 'pending'
        when '2' then 'cancelled'
        when '3' then 'failed'
        when '4' then 'completed'
        when '5' then 'partly refunded'
        when '6' then 'refunded'
        else coalesce(p.status_id, 'unknown')
    end as document_status,
    p.date, p.amount, p.applied, p.refunded,
    cast(
        case
            when p.is_deleted or p.status_id in ('2', '3') then 0
            else p.amount - p.applied - greatest(p.refunded - coalesce(t.refunded, 0), 0)
        end as decimal(20, 6)
    ) as unapplied,
    p.type_id, p.currency_id, p.exchange_rate, p.exchange_currency_id, p.transaction_reference, p.is_manual,
    p.custom_value1, p.custom_value2, p.custom_value3, p.custom_value4, p.private_notes,
    p.project_id, p.vendor_id, p.user_id, p.assigned_user_id, p.created_at, p.updated_at, p.archived_at
from ninja.payments as p
left join tied as t on t.source = p.source and t.payment_id = p.id
left join ninja.clients as c on c.source = p.source and c.id = p.client_id
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
