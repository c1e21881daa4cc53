-- One row per client, including archived and deleted ones: names for ids, the effective currency, the primary contact.
create view mart.clients as
with primary_contacts as (
    select
        source, client_id, id, first_name, last_name, email, phone,
        row_number() over (partition by source, client_id order by is_primary desc nulls last, created_at, id collate "C") as place,
        count(*) over (partition by source, client_id) as contacts
    from ninja.contacts
)
select
    c.source, c.id, c.number, c.name, c.display_name,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status,
    c.balance, c.paid_to_date, c.payment_balance, c.credit_balance,
    cur.code as currency_code, cur.name as currency_name,
    case
        when c.currency_id is not null then 'client'
        when g.currency_id is not null then 'group'
        when co.currency_id is not null then 'company'
    end as currency_from,
    p.id as contact_id, p.first_name as contact_first_name, p.last_name as contact_last_name,
    p.email as contact_email, p.phone as contact_phone,
    coalesce(p.contacts, 0) as contacts,
    g.name as group_name, i.name as industry, z.name as size, c.classification,
    c.vat_number, c.id_number, c.has_valid_vat_number, c.is_tax_exempt, c.website, c.phone,
    c.address1, c.address2, c.city, c.state, c.postal_code, l.name as country, l.iso_3166_2 as country_code,
    c.shipping_address1, c.shipping_address2, c.shipping_city, c.shipping_state, c.shipping_postal_code,
    sl.name as shipping_country,
    c.custom_value1, c.custom_value2, c.custom_value3, c.custom_value4,
    c.private_notes, c.public_notes, c.payment_terms,
    c.user_id, c.assigned_user_id, c.created_at, c.updated_at, c.archived_at
from ninja.clients as c
left join primary_contacts as p on p.source = c.source and p.client_id = c.id and p.place = 1
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
left join ninja.industries as i on i.source = c.source and i.id = c.industry_id
left join ninja.sizes as z on z.source = c.source and z.id = c.size_id
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
left join ninja.countries as sl on sl.source = c.source and sl.id = c.shipping_country_id
