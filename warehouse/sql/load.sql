-- The steps of a load: staged pages into the mirror, with their history.

-- :name accepted
-- The newest staged version of each record, with its outcome: inserted, updated, touched or unchanged.
-- Digests are made before the join, so that no engine holds the records for it, and only of records that arrived.
create temp table accepted as
with known as materialized (
    select m.id, m.row_hash, {digest} as digest
    from {rows_of_newest} as m
)
select
    n.id,
    n.arrival,
    n.stamp,
    case
        when k.id is null then 'inserted'
        when k.row_hash <> s.row_hash then 'updated'
        when k.digest <> s.digest then 'touched'
        else 'unchanged'
    end as outcome
from newest as n
join arrived_{entity} as s on s.arrival = n.arrival
left join known as k on k.id = n.id

-- :name all_inserted
-- The newest staged version of each record, where the mirror has none.
create temp table accepted as select id, arrival, stamp, 'inserted' as outcome from newest

-- :name changed_versions
-- The versions that end because a new one arrived: each ends where the new one starts.
create temp table ended as select id, valid_from as valid_to, 'changed' as ended_by from piece where outcome = 'updated'

-- :name changes
-- Each new or changed record for the run's report. They are chosen before their records are read.
with first as (
    select o.outcome, o.id, o.arrival, a.stamp
    from opened as o
    join accepted as a on a.arrival = o.arrival
    where o.outcome = 'updated' or (o.outcome = 'inserted' and $with_inserted)
    order by o.outcome desc, a.stamp desc nulls last, o.id collate "C"
    limit $most
)
select f.outcome, f.id, s.record as after
from first as f
join stage_{entity} as s on s.arrival = f.arrival
order by f.outcome desc, f.stamp desc nulls last, f.id collate "C"

-- :name close_quarantine
-- Close the quarantine of an entity after a full check.
update control.quarantine set resolved_run_id = $run_id
where source = $source and entity = $entity and resolved_run_id is null

-- :name close_versions
-- Keep the mirror's version of every record whose version ends.
-- An inner join would let DuckDB join by id first, and so read the records of nearly all rows.
insert into {versions} (
    {kind}source, id, valid_from, valid_to, observed_at, ended_at, ended_by, run_id, ended_run_id, row_hash, updated_at,
    {figures}, record
)
select
    {of_kind}m.source, m.id, m.valid_from, e.valid_to, m.observed_at, $began, e.ended_by, m.observed_run_id, $run_id,
    m.row_hash, m.updated_at, {own_figures}, m.record
from {rows_of_ended} as m
left join ended as e on e.id = m.id

-- :name compared
-- Each arriving version with the one before it: the mirror's, or the last one of a record that had vanished.
with away as (
    select id, record, row_number() over (partition by id order by valid_to desc, valid_from desc) as place
    from {versions}
    where source = $source and {theirs} and ended_by <> 'changed'
        and id in (select id from piece where outcome = 'inserted')
),
before as (
    select id, record from {rows_of_ended} as m
    union all
    select id, record from away where place = 1
)
select o.id, s.{label} as label, o.valid_from, cast(b.record as varchar) as before, s.record as after
from piece as o
join before as b on b.id = o.id
join stage_{entity} as s on s.arrival = o.arrival
where s.arrival >= $begin and s.arrival < $beyond

-- :name correct_redirects
-- Update the fate of records that had vanished before; the time when they vanished stays.
update {redirects} as r
set kind = e.ended_by, into_id = e.into_id, evidence = e.evidence, run_id = $run_id
from ended as e
where r.source = $source and {theirs} and r.id = e.id and r.returned_run_id is null

-- :name delete_children
-- Delete the children of every record that arrived in a new version.
delete from ninja.{child}
where source = $source and {parent} in (select id from accepted where outcome in ('updated', 'touched'))

-- :name delete_moved
-- Delete the children that moved to another parent. In one statement with those above, Postgres would use no index.
delete from ninja.{child}
where source = $source
    and id in (select s.id from stage_{child} as s join accepted as a on a.arrival = s.arrival where a.outcome <> 'unchanged')

-- :name delete_parents
-- Delete the mirror's version of every record that arrived in a new one.
delete from ninja.{entity}
where source = $source and id in (select id from accepted where outcome in ('updated', 'touched'))

-- :name displaced
-- Insert an unchanged record again if the mirror has one of its children under another parent, or not at all.
update accepted set outcome = 'touched'
where outcome = 'unchanged'
    and arrival in (
        select s.arrival from arrived_{child} as s
        left join ninja.{child} as m on m.source = $source and m.id = s.id
        where m.{parent} is distinct from s.{parent}
    )

-- :name doubled
-- Count the loaded ids that the mirror has more than once: if there are any, the load is undone.
select count(*) from (
    select id from ninja.{entity}
    where source = $source and id in (select id from {loaded})
    group by id having count(*) > 1
) as doubled

-- :name insert_changes
-- Insert the changes.
insert into {changes} ({kind}source, id, {label_column}, field, before, after, changed_at, observed_at, run_id)
select {of_kind}$source, id, label, field, before, after, changed_at, $began, $run_id from stage_changes

-- :name insert_children
-- Insert the children of every new or changed record; a child that moved goes where it came last.
insert into ninja.{child} ({columns})
select {selected}
from (
    select s.*, row_number() over (partition by s.id order by {stamp} desc nulls last, s.arrival desc) as nth
    from stage_{child} as s
    join accepted as a on a.arrival = s.arrival
    where a.outcome <> 'unchanged'
) as s
where s.nth = 1

-- :name insert_parents
-- Insert the new and changed records of one piece.
insert into ninja.{entity} ({columns})
select {selected}
from stage_{entity} as s
join opened as o on o.arrival = s.arrival
where s.arrival >= $begin and s.arrival < $beyond

-- :name insert_redirects
-- Note the fate of records that vanished.
insert into {redirects} ({kind}{owner}source, id, kind, into_id, evidence, run_id, vanished_at, returned_run_id)
select {of_kind}{of_owner}$source, e.id, e.ended_by, e.into_id, e.evidence, $run_id, e.valid_to, null
from ended as e
where not exists (
    select 1 from {redirects} as r where r.source = $source and {theirs} and r.id = e.id and r.returned_run_id is null
)

-- :name insert_reference
-- Insert the rows of a reference table.
insert into ninja.{entity} ({columns}) select {selected} from stage_{entity} as s

-- :name insert_unlisted
-- Insert the records that a full check missed and kept.
insert into control.unlisted (source, entity, id, why, since_run_id)
select $source, '{entity}', id, why, since_run_id from unlisted_now

-- :name keep_unlisted
-- The records that this full check missed and kept, each with the run that first missed it.
create temp table unlisted_now as
select s.id, s.why, coalesce(u.since_run_id, $run_id) as since_run_id, u.why is distinct from s.why as is_new
from stage_unlisted as s
left join control.unlisted as u on u.source = $source and u.entity = '{entity}' and u.id = s.id

-- :name list_again
-- Remove the records that arrived: the server lists them again.
delete from control.unlisted as u
where u.source = $source and u.entity = '{entity}' and exists (select 1 from accepted as a where a.id = u.id)

-- :name listed_twice
-- The staged children that are listed again by another record, or by their own; the last one touched is left.
select line
from (
    select s.line, row_number() over (partition by s.id order by {stamp} desc nulls last, s.arrival desc) as place
    from arrived_{child} as s
    join accepted as a on a.arrival = s.arrival
) as listed
where place > 1

-- :name migrations
-- The migrations that this warehouse has had, with the digest of each one's SQL.
create table if not exists control.migrations (
    number integer, name varchar, digest varchar, applied_at timestamp with time zone
)

-- :name move_watermark
-- Insert or move the watermark of an entity. full_at, unexplained and held stay unless the run gives new values.
insert into control.watermarks as known (
    source, entity, watermark, newest_at, began_at, local_began_at, full_at, server_total, run_id, unexplained, held,
    blind
)
values ($source, $entity, $mark, $newest, $began, $local_began, $full_at, $total, $run_id, $unexplained, $held, $blind)
on conflict (source, entity) do update set
    watermark = excluded.watermark, newest_at = excluded.newest_at, began_at = excluded.began_at,
    local_began_at = excluded.local_began_at, full_at = coalesce(excluded.full_at, known.full_at),
    server_total = excluded.server_total, run_id = excluded.run_id, blind = excluded.blind,
    unexplained = coalesce(excluded.unexplained, known.unexplained), held = coalesce(excluded.held, known.held)

-- :name note_secret_host
-- Note the server that a secret is used with, once.
insert into control.secret_hosts (name, base_url, noted_at)
select $name, $base_url, $now
where not exists (select 1 from control.secret_hosts where name = $name and base_url = $base_url)

-- :name open_versions
-- The start of each arriving version: its stamp if the stamp moved on, else the start of this run.
-- A stamp moved on if it is newer than the previous version's. For a record that was not in the mirror, it moved on if it is
-- not older than the first load and the end of the previous version. A stamp from tomorrow is a fault of the server and does
-- not count. No version starts before the previous one. A record that was only touched keeps its version.
create temp table opened as
with ended as (
    select id, max(valid_to) as valid_to
    from {versions}
    where source = $source and {theirs} and id in (select id from accepted where outcome = 'inserted')
    group by id
),
arriving as (
    select
        a.id, a.arrival, a.outcome, a.stamp, m.updated_at as stamp_before,
        m.valid_from, m.observed_at, m.observed_run_id,
        coalesce(m.valid_from, e.valid_to) as at_least, f.first_load_at
    from accepted as a
    left join ninja.{entity} as m on m.source = $source and m.id = a.id
    left join ended as e on e.id = a.id
    cross join (
        select min(began_at) as first_load_at from control.runs where source = $source and entity = '{entity}'
    ) as f
    where a.outcome <> 'unchanged'
)
select
    id, arrival, outcome,
    case
        when outcome = 'touched' then valid_from
        when stamp > $began + interval '1 day' then greatest($began, at_least)
        when outcome = 'updated' and (stamp_before is null or stamp > stamp_before) then greatest(stamp, at_least)
        when outcome = 'inserted' and stamp >= greatest(first_load_at, at_least) then stamp
        else greatest($began, at_least)
    end as valid_from,
    case when outcome = 'touched' then observed_at else $began end as observed_at,
    case when outcome = 'touched' then observed_run_id else $run_id end as observed_run_id
from arriving

-- :name newest
-- The newest staged version of each record.
-- A record read after an interruption is newer than one read before it, whatever its stamp.
create temp table newest as
select id, arrival, updated_at as stamp
from (
    select id, arrival, updated_at, row_number() over (partition by id order by updated_at desc nulls last, arrival desc) as place
    from arrived_{entity} as s
    where arrival >= $resumed_at
        or not exists (
            select 1 from arrived_{entity} as n where $resumed_at > 0 and n.arrival >= $resumed_at and n.id = s.id
        )
) as s
where place = 1

-- :name open_records
-- The arriving records of an entity without versions.
create temp table opened as
select id, arrival, outcome, cast(null as timestamp with time zone) as valid_from
from accepted
where outcome <> 'unchanged'

-- :name outcomes
-- Count the records by outcome.
select outcome, count(*) from accepted group by outcome

-- :name outdated
-- The staged versions that a newer one replaces, or one read after an interruption.
select s.arrival from arrived_{entity} as s where not exists (select 1 from accepted as a where a.arrival = s.arrival)

-- :name piece
-- Some of the new and changed records: those that arrived from the number $begin on, before $beyond.
create temp table piece as
select id, valid_from, arrival, outcome from opened where arrival >= $begin and arrival < $beyond

-- :name pieces
-- The first arrival number of each piece of at most $most new and changed records.
select arrival
from (select arrival, row_number() over (order by arrival) as place from opened) as numbered
where (place - 1) % $most = 0
order by arrival

-- :name release_vanished
-- Close the quarantine of vanished records.
update control.quarantine set resolved_run_id = $run_id
where source = $source and entity = '{entity}' and resolved_run_id is null and id in (select id from ended)

-- :name remove_vanished
-- Delete the records that vanished.
delete from ninja.{entity} where source = $source and id in (select id from ended)

-- :name remove_vanished_children
-- Delete the remaining children of vanished records; children that moved are already with their new parent.
delete from ninja.{child} where source = $source and {parent} in (select id from ended)

-- :name replace_activities
-- Delete the activities that arrived again.
delete from ninja.{entity} where source = $source and id in (select id from stage_{entity})

-- :name replace_reference
-- Empty a reference table of one source, before its new rows are inserted.
delete from ninja.{entity} where source = $source

-- :name replace_unlisted
-- Delete the missed records that an earlier full check noted for this source.
delete from control.unlisted where source = $source and entity = '{entity}'

-- :name resolve_quarantine
-- Close the quarantine of every record that has arrived in a valid version.
update control.quarantine set resolved_run_id = $run_id
where source = $source and entity = '{entity}' and resolved_run_id is null and id in (select id from accepted)

-- :name return_redirects
-- Note the vanished records that have come back.
update {redirects} set returned_run_id = $run_id
where source = $source and {theirs} and returned_run_id is null and id in (select id from accepted)

-- :name vanished_versions
-- The versions that end because their records vanished. A record that arrived in this run has not vanished.
-- A merged client's version ends where the current version of the client kept starts, if the merge may have started that:
-- after the last full check, which still met both, and after the version that ends. All others end where this run began.
create temp table ended as
select
    v.id,
    greatest(
        {since},
        case
            when {into_since} >= {since} and {into_since} > (
                select w.full_at from control.watermarks as w where w.source = $source and w.entity = '{entity}'
            ) then {into_since}
            else $began
        end
    ) as valid_to,
    v.kind as ended_by,
    v.into_id,
    v.evidence,
    {client} as client_id,
    m.id is not null as mirrored
from stage_vanished as v
left join ninja.{entity} as m on m.source = $source and m.id = v.id
left join ninja.{entity} as s on s.source = $source and s.id = v.into_id
where not exists (select 1 from accepted as a where a.id = v.id)
