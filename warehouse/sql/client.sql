-- Queries of `ninja-sync client`: all that is known of one client.

-- :name aging
-- The amounts that the client owes, by days overdue.
select * from mart.aging where source = $source and client_id = $id

-- :name by_id
-- The number, name, kind and status of a client: of one that is present, vanished, or only in quarantine.
select number, display_name, kind, status
from (
    select
        1 as place, c.number, c.display_name, cast(null as varchar) as kind,
        case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status
    from ninja.clients as c
    where c.source = $source and c.id = $id
    union all
    select 2, v.number, v.display_name, r.kind, null
    from control.redirects as r
    left join control.client_versions as v
        on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
    where r.source = $source and r.id = $id and r.returned_run_id is null
    union all
    select 3, null, null, 'in quarantine', null
    from control.quarantine as q
    where q.source = $source and q.entity = 'clients' and q.id = $id and q.resolved_run_id is null
) as ways
order by place
limit 1

-- :name changes
-- The fields of the client that changed, newest first.
select
    changed_at, field, nullif(before, '') as before, nullif(after, '') as after, observed_at, run_id,
    count(*) over () as of_all
from mart.client_changes
where source = $source and id = $id
order by changed_at desc, field collate "C"
limit $top

-- :name contacts
-- The contacts of the client, the primary one first.
select
    id, first_name, last_name, email, phone, is_primary, send_email, custom_value1, custom_value2, custom_value3,
    custom_value4, created_at, updated_at, count(*) over () as of_all
from mart.contacts
where source = $source and client_id = $id
order by is_primary desc nulls last, created_at, id collate "C"
limit $top

-- :name credits
-- The newest credits of the client.
select
    id, number, date, status, document_status, currency_code, amount, balance, paid_to_date, invoice_id, updated_at,
    count(*) over () as of_all
from mart.credits
where source = $source and client_id = $id
order by date desc nulls last, created_at desc, id collate "C"
limit $top

-- :name decisions
-- The newest decision on the client and each other one that it was compared with.
select d.decided_at, d.decision, d.author, d.reason, d.other_id, c.number as other_number,
    coalesce(c.display_name, r.display_name) as other_name
from (
    select
        source, case when id_a = $id then id_b else id_a end as other_id, decision, author, reason, decided_at,
        row_number() over (partition by id_a, id_b order by decided_at desc) as place
    from control.duplicate_decisions
    where source = $source and (id_a = $id or id_b = $id)
) as d
left join ninja.clients as c on c.source = d.source and c.id = d.other_id
left join mart.client_redirects as r on r.source = d.source and r.id = d.other_id
where d.place = 1
order by d.decided_at desc, d.other_id collate "C"

-- :name duplicates
-- The clients of the group of duplicates that the client is in, the most probable first: as mart.duplicate_candidates has
-- them. On Postgres, that view reads all contacts of all clients. A client alone is no group: the others are merged.
with together as (
    select k.source, k.cluster_id, k.id, k.found_at, count(*) over () as clients
    from control.duplicate_clusters as o
    join control.duplicate_clusters as k on k.source = o.source and k.cluster_id = o.cluster_id
    join ninja.clients as c on c.source = k.source and c.id = k.id
    where o.source = $source and o.id = $id
),
members as (
    select source, cluster_id, id, found_at from together where clients > 1
),
pairs as (
    select id_a as id, id_b as other, probability, reasons from control.duplicate_pairs where source = $source
    union all
    select id_b, id_a, probability, reasons from control.duplicate_pairs where source = $source
),
best as (
    select
        id, probability, reasons,
        row_number() over (partition by id order by probability desc, other collate "C") as place
    from pairs
    where id in (select id from members) and other in (select id from members)
)
select
    m.cluster_id as group_id, m.id, c.number, c.display_name,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status,
    cur.code as currency_code, c.balance, c.paid_to_date, b.probability, cast(b.reasons as varchar) as reasons, m.found_at
from members as m
join ninja.clients as c on c.source = m.source and c.id = m.id
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
left join best as b on b.id = m.id and b.place = 1
order by b.probability desc nulls last, m.id collate "C"

-- :name fields
-- The client, as the warehouse has it.
select * from mart.clients where source = $source and id = $id

-- :name found
-- Clients that a text may mean, by number, id, e-mail address, and names of its length. Also clients that vanished, and
-- clients with nothing but a record in quarantine.
select
    c.source, c.id, c.number, c.display_name, c.name, cast(null as varchar) as email, cast(null as varchar) as kind,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status
from ninja.clients as c
where c.number = $who or c.id = $who or length(c.display_name) = length($who) or length(c.name) = length($who)
union all
select
    c.source, c.id, c.number, c.display_name, c.name, k.email, null,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status
from ninja.contacts as k
join ninja.clients as c on c.source = k.source and c.id = k.client_id
where $who like '%@%' and length(k.email) = length($who)
union all
select source, id, number, display_name, name, email, kind, null
from (
    select
        r.source, r.id, v.number, v.display_name, v.name, r.kind,
        case when position('"email":"' || lower($who) || '"' in lower(cast(v.record as varchar))) > 0 then $who end as email
    from control.redirects as r
    left join control.client_versions as v
        on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
    where r.returned_run_id is null
) as away
where id = $who or number = $who or length(display_name) = length($who) or length(name) = length($who) or email is not null
union all
select distinct q.source, q.id, null, null, null, null, 'in quarantine', null
from control.quarantine as q
where q.entity = 'clients' and q.id = $who and q.resolved_run_id is null
    and not exists (select 1 from ninja.clients as c where c.source = q.source and c.id = q.id)
    and not exists (
        select 1 from control.redirects as r where r.source = q.source and r.id = q.id and r.returned_run_id is null
    )
order by 1, 2, 6

-- :name history
-- The versions of the client, newest first.
select
    valid_from, valid_to, number, display_name, status, currency_code, balance, paid_to_date, credit_balance, payment_balance,
    country, group_name, ended_by, observed_at, run_id, updated_at, count(*) over () as of_all
from mart.client_history
where source = $source and id = $id
order by valid_from desc, valid_to desc nulls first
limit $top

-- :name invoices
-- The newest invoices of the client.
select
    id, number, date, due_date, status, document_status, currency_code, amount, balance, paid_to_date, updated_at,
    count(*) over () as of_all
from mart.invoices
where source = $source and client_id = $id
order by date desc nulls last, created_at desc, id collate "C"
limit $top

-- :name journal
-- The calls that wrote to the client, newest first.
select
    j.noted_at, j.operator, j.verb, coalesce(e.outcome, case when s.state is null then 'unknown' else 'settled' end) as outcome,
    coalesce(s.message, '') as message, cast(e.before as varchar) as before, cast(e.after as varchar) as after, j.plan_id,
    j.call_id, count(*) over () as of_all
from control.journal_edits as e
join control.journal as j on j.source = e.source and j.call_id = e.call_id and j.state = 'intended'
left join control.journal as s on s.source = e.source and s.call_id = e.call_id and s.state = 'settled'
where e.source = $source and e.id = $id
order by j.noted_at desc, j.number desc
limit $top

-- :name known
-- The company's labels of custom fields, the kinds of records that have been read, and the last load.
select
    cast(o.custom_fields as varchar) as labels,
    (select string_agg(w.entity, ',' order by w.entity) from control.watermarks as w where w.source = s.source) as mirrored,
    (
        select max(r.finished_at) from control.runs as r
        where r.source = s.source and r.changed and r.entity = 'clients'
    ) as last_load_at
from control.sources as s
left join ninja.companies as o on o.source = s.source
where s.source = $source

-- :name last_record
-- The record of a client that vanished, as it was last read.
select cast(record as varchar) as record
from control.client_versions
where source = $source and id = $id
order by valid_to desc, valid_from desc, ended_at desc
limit 1

-- :name names
-- The numbers and names of all clients.
select
    c.source, c.id, c.number, c.display_name,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status
from ninja.clients as c
where c.source = coalesce($source, c.source)

-- :name open_items
-- The open parts of the client's invoices, the longest overdue first.
select
    number, part, date, due_date, days_overdue, bucket, currency_code, open_amount, document_status, invoice_id,
    count(*) over () as of_all
from mart.open_items
where source = $source and client_id = $id
order by due_date nulls last, number, part
limit $top

-- :name payments
-- The newest payments of the client.
select
    id, number, date, status, document_status, currency_code, amount, applied, refunded, unapplied, transaction_reference,
    updated_at, count(*) over () as of_all
from mart.payments
where source = $source and client_id = $id
order by date desc nulls last, created_at desc, id collate "C"
limit $top

-- :name plans
-- The plans that are not applied yet and would change the client: the fields, or the other client of a merge.
select p.plan_id, p.kind, p.state, p.made_at, p.expires_at, p.author, p.reason, c.field as what, cast(c.after as varchar) as after
from control.plan_cells as c
join control.plans as p on p.source = c.source and p.plan_id = c.plan_id
where c.source = $source and c.id = $id and (p.state = 'applying' or (p.state = 'planned' and p.expires_at > now()))
union all
select
    p.plan_id, p.kind, p.state, p.made_at, p.expires_at, p.author, p.reason,
    case when m.survivor_id = $id then 'kept in a merge with' else 'merged into' end,
    case when m.survivor_id = $id then m.mergeable_id else m.survivor_id end
from control.merge_steps as m
join control.plans as p on p.source = m.source and p.plan_id = m.plan_id
where m.source = $source and (m.survivor_id = $id or m.mergeable_id = $id)
    and m.state not in ('done', 'done without rescue')
    and (p.state = 'applying' or (p.state = 'planned' and p.expires_at > now()))
order by 4 desc, 1, 8

-- :name quarantine
-- The newer records of the client that could not be stored.
select q.field, q.reason, r.began_at as since, q.first_run_id as run_id
from control.quarantine as q
left join control.runs as r on r.run_id = q.first_run_id
where q.source = $source and q.entity = 'clients' and q.id = $id and q.resolved_run_id is null
order by q.field

-- :name redirects
-- The clients that were merged into the client, directly or through others, and the client itself if it vanished.
select
    r.id, v.number, r.display_name, r.kind, r.into_id, r.current_id, c.number as current_number, r.current_name, r.hops,
    r.evidence, r.vanished_at, r.run_id
from mart.client_redirects as r
left join control.client_versions as v
    on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
left join ninja.clients as c on c.source = r.source and c.id = r.current_id
where r.source = $source and (r.id = $id or r.into_id = $id or r.current_id = $id)
order by r.vanished_at desc, r.id collate "C"

-- :name unlisted
-- Whether the server lists the client and its documents no longer, and why they are kept.
select 'client' as record_kind, number, why, since from mart.unlisted_clients where source = $source and id = $id
union all
select document_kind, number, why, since from mart.unlisted_documents where source = $source and client_id = $id
order by 1, 2

-- :name writable
-- The values of the client that can be written, with the ids of lists.
select
    number, name, currency_id, language_id, payment_terms, valid_until, default_task_rate, send_reminders,
    group_settings_id, size_id, industry_id, classification, id_number, vat_number, is_tax_exempt, routing_id,
    website, phone, address1, address2, city, state, postal_code, country_id, shipping_address1, shipping_address2,
    shipping_city, shipping_state, shipping_postal_code, shipping_country_id, custom_value1, custom_value2,
    custom_value3, custom_value4, private_notes, public_notes, assigned_user_id
from ninja.clients
where source = $source and id = $id
