-- Queries and notes about records that the server no longer lists.

-- :name bereaved
-- The given records whose client has vanished, each with the client's fate. A client that was never read proves nothing.
select m.id, {client} as client_id, r.kind
from ninja.{entity} as m
left join ninja.clients as c on c.source = m.source and c.id = {client}
join control.redirects as r on r.source = m.source and r.id = {client} and r.returned_run_id is null
where m.source = $source and m.id in (select id from asked) and c.id is null

-- :name donors
-- Clients that the scan did not meet although it met one of their contacts under another client.
select k.client_id
from {contacts} as s
join ninja.contacts as k on k.source = $source and k.id = s.id and k.client_id <> s.client_id
join ninja.clients as m on m.source = k.source and m.id = k.client_id
where not exists (select 1 from {clients} as c where c.id = k.client_id)
group by k.client_id
order by k.client_id collate "C"

-- :name growth
-- The growth of each client's balance since its previous version, for staged and mirrored clients.
create temp table {growth} as
with ended as (
    select id, balance, row_number() over (partition by id order by valid_to desc, valid_from desc) as place
    from control.client_versions
    where source = $source
)
select
    coalesce(n.id, m.id) as id,
    coalesce(n.is_deleted, m.is_deleted) as is_deleted,
    coalesce(n.updated_at, m.updated_at) as updated_at,
    case when n.row_hash <> m.row_hash then n.balance - m.balance else m.balance - e.balance end as grown
from {clients} as n
full join (select * from ninja.clients where source = $source) as m on m.id = n.id
left join ended as e on e.id = m.id and e.place = 1

-- :name heirs
-- Clients that a lost client may have been merged into: first those whose balance grew by its balance, then the last updated.
select id
from (
    select *, case when $balance <> 0 and grown = $balance then 0 else 1 end as place from {growth} where id <> $lost
) as ranked
where place = 0 or not is_deleted
order by place, updated_at desc nulls last, id collate "C"
limit $most

-- :name known_merges
-- The known merges: the client merged into, and the name and balance of the other one.
select r.into_id, v.display_name, v.balance
from control.redirects as r
join control.client_versions as v on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
where r.source = $source and r.kind = 'merged' and r.returned_run_id is null

-- :name lost
-- Some mirrored clients, in the order of their ids.
select c.id, c.name, c.display_name, c.balance, c.observed_at, cast(c.record as varchar) as record
from ninja.clients as c
where c.source = $source and c.id in (select id from asked)
order by c.id collate "C"

-- :name missing
-- The mirrored ids that the scan did not meet.
select m.id from ninja.{entity} as m
where m.source = $source and not exists (select 1 from met where met.id = m.id)
order by m.id collate "C"

-- :name newly_bereaved
-- Mirrored records that the scan did not bring, of clients that vanished in a run that began after the entity's last load.
with departed as materialized (
    select r.id
    from control.redirects as r
    join control.runs as v on v.run_id = r.run_id
    join control.watermarks as w on w.source = r.source and w.entity = '{entity}'
    where r.source = $source and r.returned_run_id is null and v.began_at >= w.began_at
)
select m.id
from departed as d
join ninja.{entity} as m on m.source = $source and {client} = d.id
where not exists (select 1 from met where met.id = m.id)
order by m.id collate "C"

-- :name newest_clients
-- The newest staged version of each client, with the columns that the search for missing clients needs.
create temp table {clients} as
select id, balance, is_deleted, row_hash, updated_at, arrival
from (
    select *, row_number() over (partition by id order by updated_at desc nulls last, arrival desc) as place
    from narrow_clients
) as s
where place = 1

-- :name newest_contacts
-- The client of each staged contact: among the newest versions that list it, the one in which the contact is newest.
create temp table {contacts} as
select id, client_id
from (
    select
        k.id, k.client_id,
        row_number() over (partition by k.id order by k.updated_at desc nulls last, k.arrival desc) as place
    from narrow_contacts as k
    join {clients} as c on c.arrival = k.arrival
) as s
where place = 1

-- :name not_newer
-- Count the given records that are not newer than a moment.
select count(*) from ninja.{entity} as m
where m.source = $source and m.id in (select id from asked) and coalesce(m.updated_at, m.created_at) <= $moment

-- :name ours
-- Mirrored clients that Ninja Sync itself merged away or purged, by the journal: the call, and the client merged into.
select
    e.id,
    j.verb,
    j.call_id,
    (
        select s.id from control.journal_edits as s
        where s.source = e.source and s.call_id = e.call_id and s.place = 0 and j.verb = 'merge'
    ) as into_id
from control.journal_edits as e
join control.journal as j on j.source = e.source and j.call_id = e.call_id and j.state = 'intended'
join ninja.clients as c on c.source = e.source and c.id = e.id
where
    e.source = $source
    and e.outcome = 'applied'
    and (j.verb = 'purge' or (j.verb = 'merge' and e.place = 1))

-- :name owners
-- The client of each given contact, by the staged pages, else by the mirror.
select k.id, k.client_id from {contacts} as k where k.id in (select id from asked)
union all
select k.id, k.client_id
from ninja.contacts as k
where k.source = $source and k.id in (select id from asked) and not exists (
    select 1 from {contacts} as s where s.id = k.id
)

-- :name remember_unexplained
-- Note the difference between the totals of server and warehouse.
update control.watermarks set unexplained = $n where source = $source and entity = $entity

-- :name unlisted
-- The clients kept although the server does not list them, those who owe most first.
select id, display_name, currency_code, balance, why
from mart.unlisted_clients
where source = $source
order by abs(balance) desc, display_name collate "C", id collate "C"
limit $most

-- :name unlisted_records
-- The records other than clients kept although the server does not list them.
select u.id, coalesce(m.{label}, u.id) as display_name, null as currency_code, null as balance, u.why
from control.unlisted as u
join ninja.{entity} as m on m.source = u.source and m.id = u.id
where u.source = $source and u.entity = '{entity}'
order by m.{label} collate "C", u.id collate "C"
limit $most

-- :name went_back
-- Count the records that arrived with an older stamp than before: a restored server sends its past.
select count(*)
from (select id, max(updated_at) as updated_at from narrow group by id) as s
join ninja.{entity} as m on m.source = $source and m.id = s.id
where s.updated_at < m.updated_at

-- :name witnesses
-- The newest mirrored records that are not missing: a server that we may believe still has them.
select m.id from ninja.{entity} as m
where m.source = $source and not exists (select 1 from asked where asked.id = m.id)
order by m.updated_at desc nulls last, m.id collate "C"
limit $most
