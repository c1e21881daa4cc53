-- Duplicates: clients to compare, pairs, clusters and decisions.

-- :name choose_survivor
-- Note the client that a person chose to keep.
insert into control.chosen_survivors values ($source, $id, $author, $reason, $chosen_at)

-- :name chosen_survivors
-- The clients that people chose to keep, the newest choice first.
select id from control.chosen_survivors where source = $source
group by id
order by max(chosen_at) desc, id collate "C"

-- :name clusters
-- The clusters of the last run of a source.
select cluster_id, id from control.duplicate_clusters where source = $source order by cluster_id collate "C", id collate "C"

-- :name decide
-- Note a decision about a pair.
insert into control.duplicate_decisions values ($source, $id_a, $id_b, $decision, $author, $reason, $decided_at)

-- :name decisions
-- The newest decision of each pair of a source.
select id_a, id_b, decision, author, reason, decided_at
from (
    select *, row_number() over (partition by id_a, id_b order by decided_at desc, decision) as place
    from control.duplicate_decisions where source = $source
) as d
where place = 1
order by id_a collate "C", id_b collate "C"

-- :name known
-- The given ids that are, or were, clients of a source.
select id from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))
union
select id from control.redirects
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name known_pairs
-- The pairs that the last run of a source found.
select id_a, id_b, probability, keys, reasons, against from control.duplicate_pairs
where source = $source
order by probability desc, id_a collate "C", id_b collate "C"

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

-- :name records
-- The whole records of clients as the server sent them, without secrets.
select id, record from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name side_by_side
-- The values to show side by side for clients that may be the same.
select
    id, number, display_name, status, currency_code, balance, paid_to_date, vat_number, id_number, website, phone,
    address1, city, postal_code, country, created_at, updated_at
from mart.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))
