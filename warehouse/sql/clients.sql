-- Queries of the list of clients.

-- :name choices
-- The countries, groups and currencies that clients have, to choose from.
with had as (
    select distinct source, country_id, group_settings_id, currency_id
    from ninja.clients
    where source = coalesce($source, source)
)
select distinct 'country' as kind, l.iso_3166_2 as code, l.name
from had as h
join ninja.countries as l on l.source = h.source and l.id = h.country_id
union
select 'group', g.name, g.name
from had as h
join ninja.group_settings as g on g.source = h.source and g.id = h.group_settings_id
union
select 'currency', cur.code, cur.name
from had as h
left join ninja.group_settings as g on g.source = h.source and g.id = h.group_settings_id
left join ninja.companies as co on co.source = h.source
join ninja.currencies as cur on cur.source = h.source and cur.id = coalesce(h.currency_id, g.currency_id, co.currency_id)
order by 1, 3

-- :name differing
-- Clients with figures that their documents do not explain.
select distinct source, client_id as id from mart.reconciliation

-- :name duplicates
-- Clients in a group of duplicates. Of a group, at least two clients are present: the others may be merged.
select source, id
from (
    select k.source, k.id, count(*) over (partition by k.source, k.cluster_id) as clients
    from control.duplicate_clusters as k
    join ninja.clients as c on c.source = k.source and c.id = k.id
) as d
where clients > 1

-- :name export
-- The clients of a list, with their primary contact and their address.
select
    x.source, x.number, x.display_name as name, x.state, x.country, x.group_name, x.currency_code as currency,
    case when x.balance > 0 then x.balance when x.balance <= 0 then 0 end as owed,
    case when x.balance < 0 then -x.balance when x.balance >= 0 then 0 end as overpaid, x.balance as net, m.paid_to_date, m.credit_balance, m.contact_first_name, m.contact_last_name, m.contact_email,
    m.contact_phone, m.phone, m.website, m.vat_number, m.id_number, m.address1, m.address2, m.postal_code, m.city,
    m.state as region, m.custom_value1, m.custom_value2, m.custom_value3, m.custom_value4, m.created_at, x.updated_at, x.id
from ({chosen}) as x
left join mart.clients as m on m.source = x.source and m.id = x.id
order by {order}

-- :name in_quarantine
-- Clients with a newer record that could not be stored.
select source, id from control.quarantine where entity = 'clients' and resolved_run_id is null

-- :name mirrored
-- The clients of the mirror that fit the filters.
select
    c.source, c.id, c.number, c.display_name, c.balance, cur.code as currency_code,
    case when cur.id = co.currency_id then 0 else 1 end as foreign_currency, l.name as country, g.name as group_name,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as state,
    c.updated_at
from ninja.clients as c
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
where c.source = coalesce($source, c.source)
    and ($country = '' or l.iso_3166_2 = $country or ($country = 'none' and l.id is null))
    and ($grouping = '' or g.name = $grouping)
    and ($currency = '' or cur.code = $currency or ($currency = 'none' and cur.id is null))
    and (
        $state = 'all'
        or ($state = 'present' and not c.is_deleted)
        or ($state = 'deleted' and c.is_deleted)
        or ($state = 'archived' and not c.is_deleted and c.archived_at is not null)
        or ($state = 'active' and not c.is_deleted and c.archived_at is null)
    )
    and (
        $text = ''
        or concat_ws(chr(31), c.number, c.display_name, c.name, c.id_number, c.vat_number) ~ $text
        or (c.source, c.id) in (
            select k.source, k.client_id from ninja.contacts as k
            where concat_ws(chr(31), k.email, concat_ws(' ', k.first_name, k.last_name)) ~ $text
        )
    )
    and ($problem <> 'overpaid' or c.balance < 0)
    and {problem}

-- :name overdue
-- Clients with an overdue part of an invoice, by the rules of mart.open_items. That view takes ten times as long.
select i.source, i.client_id as id
from ninja.invoices as i
join (select source, cast(now() at time zone time_zone as date) as day from mart.companies) as d on d.source = i.source
where i.balance > 0 and not i.is_deleted and coalesce(i.status_id, '') not in ('1', '5')
    and (
        (i.partial > 0 and i.partial_due_date < d.day)
        or (i.due_date < d.day and not (i.partial >= i.balance and i.partial_due_date is not null))
    )

-- :name listed
-- Clients that were found before, each by its source and id.
select unnest(cast($sources as varchar[])) as source, unnest(cast($ids as varchar[])) as id

-- :name page
-- A page of a list of clients, and the sums of the whole list by currency. A sum has no place.
-- It is one statement, so that Postgres reads all clients once.
with chosen as materialized (
    {chosen}
),
page as (
    select x.* from chosen as x order by {order} limit $top offset $begin
),
doubled as (
    select p.source, p.id
    from page as p
    join control.duplicate_clusters as d on d.source = p.source and d.id = p.id
    join ninja.clients as c on c.source = d.source and c.id = d.id
    join control.duplicate_clusters as e on e.source = d.source and e.cluster_id = d.cluster_id and e.id <> d.id
    join ninja.clients as o on o.source = e.source and o.id = e.id
)
select
    row_number() over (order by {order}) as place, x.source, x.id, x.number, x.display_name, x.state, x.country, x.group_name,
    x.currency_code as currency, x.updated_at, case when x.balance > 0 then x.balance when x.balance <= 0 then 0 end as owed,
    case when x.balance < 0 then -x.balance when x.balance >= 0 then 0 end as overpaid, x.balance as net, null as clients, null as debtors, null as creditors,
    (x.source, x.id) in (select source, id from doubled) as is_duplicate,
    exists (
        select 1 from control.quarantine as q
        where q.entity = 'clients' and q.resolved_run_id is null and q.source = x.source and q.id = x.id
    ) as is_quarantined
from page as x
union all
select
    null, source, null, null, null, null, null, null, currency_code, null,
    sum(case when balance > 0 then balance when balance <= 0 then 0 end),
    sum(case when balance < 0 then -balance when balance >= 0 then 0 end), sum(balance),
    count(*), count(case when balance > 0 then 1 end), count(case when balance < 0 then 1 end), null, null
from chosen
group by source, currency_code
order by 1 nulls last, 2, 11 desc, 9

-- :name unstored
-- Clients with nothing but a record in quarantine: their values are not known.
select
    q.source, q.id, cast(null as varchar) as number, cast(null as varchar) as display_name,
    cast(null as decimal(20, 6)) as balance, cast(null as varchar) as currency_code, 1 as foreign_currency,
    cast(null as varchar) as country, cast(null as varchar) as group_name, 'in quarantine' as state,
    max(r.began_at) as updated_at
from control.quarantine as q
left join control.runs as r on r.run_id = q.first_run_id
where q.entity = 'clients' and q.resolved_run_id is null
    and q.source = coalesce($source, q.source)
    and $country in ('', 'none') and $grouping = '' and $currency in ('', 'none') and ($text = '' or q.id ~ $text)
    and not exists (select 1 from ninja.clients as c where c.source = q.source and c.id = q.id)
    and not exists (
        select 1 from control.redirects as a where a.source = q.source and a.id = q.id and a.returned_run_id is null
    )
group by q.source, q.id

-- :name vanished
-- The clients that vanished and fit the filters, with their last values.
select
    r.source, r.id, v.number, v.display_name, cast(null as decimal(20, 6)) as balance, cur.code as currency_code,
    1 as foreign_currency, l.name as country, g.name as group_name, r.kind as state, r.vanished_at as updated_at
from control.redirects as r
left join control.client_versions as v
    on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
left join ninja.group_settings as g on g.source = v.source and g.id = v.group_settings_id
left join ninja.companies as co on co.source = v.source
left join ninja.currencies as cur
    on cur.source = v.source and cur.id = coalesce(v.currency_id, g.currency_id, co.currency_id)
left join ninja.countries as l on l.source = v.source and l.id = v.country_id
where r.returned_run_id is null
    and r.source = coalesce($source, r.source)
    and ($country = '' or l.iso_3166_2 = $country or ($country = 'none' and l.id is null))
    and ($grouping = '' or g.name = $grouping)
    and ($currency = '' or cur.code = $currency or ($currency = 'none' and cur.id is null))
    and ($text = '' or concat_ws(chr(31), r.id, v.number, v.display_name, v.name) ~ $text)

-- :name with_mail
-- Clients with a contact that has an e-mail address.
select source, client_id as id from ninja.contacts where email is not null
