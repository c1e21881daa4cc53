-- Duplicates: clients to compare, pairs, clusters and decisions.

-- :name changed_since
-- The clients in clusters of a source that have changed since the clusters were found, by the clock of this machine.
select k.id from control.duplicate_clusters as k
join ninja.clients as c on c.source = k.source and c.id = k.id
left join control.runs as r on r.run_id = c.observed_run_id
where k.source = $source and coalesce(r.finished_at, c.observed_at) > k.found_at

-- :name choose_survivor
-- Note the client that a person chose to keep.
insert into control.chosen_survivors values ($source, $id, $author, $reason, $chosen_at)

-- :name chosen_survivors
-- The clients that people chose to keep, the newest choice first.
select id from control.chosen_survivors where source = $source
group by id
order by max(chosen_at) desc, id collate "C"

-- :name clients
-- The values to compare clients by; deleted clients only if $deleted is set.
select
    c.id, c.number, c.name, c.display_name, c.vat_number, c.id_number, c.website, c.phone, c.address1,
    c.city, c.postal_code, l.iso_3166_2 as country
from ninja.clients as c
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
where c.source = $source and ($deleted or not c.is_deleted)
order by c.id collate "C"

-- :name clusters
-- The clusters of the last run of a source.
select cluster_id, id from control.duplicate_clusters where source = $source order by cluster_id collate "C", id collate "C"

-- :name contacts
-- The names, mail addresses and phone numbers of a source's contacts, the primary contact first.
select client_id, first_name, last_name, email, phone from ninja.contacts
where source = $source
order by client_id collate "C", is_primary desc nulls last, id collate "C"

-- :name decide
-- Note one decision about some pairs.
insert into control.duplicate_decisions
select
    cast($source as varchar), p.id_a, p.id_b, cast($decision as varchar), cast($author as varchar), cast($reason as varchar),
    cast($decided_at as timestamp with time zone)
from (select unnest(cast($ids_a as varchar[])) as id_a, unnest(cast($ids_b as varchar[])) as id_b) as p

-- :name decisions
-- The newest decision of each pair of a source.
select id_a, id_b, decision, author, reason, decided_at
from (
    select *, row_number() over (partition by id_a, id_b order by decided_at desc, decision) as place
    from control.duplicate_decisions where source = $source
) as d
where place = 1
order by id_a collate "C", id_b collate "C"

-- :name insert_model
-- Store a model that was learned.
insert into control.duplicate_models values (
    $source, $model_id, $made_at, $author, $kind, $decisions, cast($figures as json), cast($weights as json), false
)

-- :name known
-- The given ids that are, or were, clients of a source.
select id from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))
union
select id from control.redirects
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name known_pairs
-- The pairs that the last run of a source found. A pair of an earlier version may be in conflict.
select id_a, id_b, probability, keys, reasons, against, coalesce(in_conflict, true) as in_conflict
from control.duplicate_pairs
where source = $source
order by probability desc, id_a collate "C", id_b collate "C"

-- :name models
-- The models learned for a source, the newest first.
select
    model_id, made_at, author, kind, decisions, cast(figures as varchar) as figures, cast(weights as varchar) as weights, in_use
from control.duplicate_models where source = $source
order by made_at desc, model_id collate "C"

-- :name moved
-- The clients of a source that were merged away, and the client that each is part of now.
select id, current_id from mart.client_redirects
where source = $source and kind = 'merged' and current_id is not null

-- :name people
-- The contacts of clients that may be the same, the primary contact first.
select client_id, first_name, last_name, email, phone
from ninja.contacts
where source = $source and client_id in (select unnest(cast($ids as varchar[])))
order by client_id, is_primary desc nulls last, id collate "C"

-- :name present
-- Those of the given ids that are clients in the mirror.
select id from ninja.clients where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name records
-- The whole records of clients as the server sent them, without secrets.
select id, record from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name since_learned
-- The number of pairs decided on since a model was last learned for a source.
select count(*) from (
    select id_a, id_b from control.duplicate_decisions
    where source = $source and decision <> 'later'
        and decided_at > coalesce(
            (select max(made_at) from control.duplicate_models where source = $source), timestamp with time zone '1970-01-01 00:00:00Z'
        )
    group by id_a, id_b
) as d

-- :name side_by_side
-- The values to show side by side for clients that may be the same, as mart.clients has them. That view looks at the contacts
-- of all clients first.
select
    c.id, c.number, c.display_name,
    case when c.is_deleted then 'deleted' when c.archived_at is not null then 'archived' else 'active' end as status,
    cur.code as currency_code, c.balance, c.paid_to_date, c.vat_number, c.id_number, c.website, c.phone, c.address1, c.city,
    c.postal_code, l.name as country, c.created_at, c.updated_at
from ninja.clients as c
left join ninja.group_settings as g on g.source = c.source and g.id = c.group_settings_id
left join ninja.companies as co on co.source = c.source
left join ninja.currencies as cur
    on cur.source = c.source and cur.id = coalesce(c.currency_id, g.currency_id, co.currency_id)
left join ninja.countries as l on l.source = c.source and l.id = c.country_id
where c.source = $source and c.id in (select unnest(cast($ids as varchar[])))

-- :name use_model
-- Use one model of a source, or none.
update control.duplicate_models set in_use = (model_id = $model_id) where source = $source

-- :name versions
-- The earlier records of clients, each until a moment, the oldest first.
select id, ended_at, cast(record as varchar) as record from control.client_versions
where source = $source and id in (select unnest(cast($ids as varchar[])))
order by id collate "C", ended_at
