-- Queries of the page about the health of the warehouse: runs, failures, records kept or set aside.

-- :name calls
-- The number of calls in the journal.
select count(*) from control.journal
where state = 'intended' and (cast($source as varchar) is null or source = $source)

-- :name forget_failures
-- Remove the notes of a source's failed pulls before a moment.
delete from control.failed_pulls where source = $source and failed_at < $before

-- :name held
-- The clients that a source keeps until a person allows their removal, those who owe most first. Documents leave with
-- their clients, so they are listed only if no client is kept.
select 'clients' as entity, id, number, display_name as name, currency_code as currency, balance, since
from mart.unlisted_clients
where source = $source and why = 'held'
union all
select document_kind || 's', id, number, client_name, null, null, since
from mart.unlisted_documents
where source = $source and why = 'held' and not exists (
    select 1 from control.unlisted as c where c.source = $source and c.why = 'held' and c.entity = 'clients'
)
order by entity, balance desc nulls last, number, id
limit $most offset $skip

-- :name held_counts
-- How many records each source keeps until a person allows their removal, by kind.
select source, entity, count(*) as records
from control.unlisted
where why = 'held' and (cast($source as varchar) is null or source = $source)
group by source, entity
order by source collate "C", case when entity = 'clients' then 0 else 1 end, entity

-- :name note_failure
-- Note a failed pull.
insert into control.failed_pulls (source, began_at, failed_at, exit_code, message)
values ($source, $began_at, $failed_at, $exit_code, $message)

-- :name quarantine
-- The records in quarantine, each with the end of the run that first set it aside; the newest first.
select q.source, q.entity, q.id, q.field, q.reason, r.finished_at as since
from control.quarantine as q
left join control.runs as r on r.run_id = q.first_run_id
where q.resolved_run_id is null and (cast($source as varchar) is null or q.source = $source)
order by r.finished_at desc nulls last, q.source collate "C", q.entity collate "C", q.id collate "C"
limit $most offset $skip

-- :name quarantined
-- The number of records in quarantine.
select count(*) from control.quarantine
where resolved_run_id is null and (cast($source as varchar) is null or source = $source)

-- :name runs
-- The newest runs and failed pulls; with $full, the pulls that changed nothing too.
select
    source, entity, kind, finished_at, seconds, received, inserted, updated, vanished, quarantine_open, exit_code, message,
    count(*) over () as of
from (
    select
        source, entity, kind, finished_at, seconds, received, inserted, updated, vanished, quarantine_open,
        case when quarantine_open > 0 then 7 else 0 end as exit_code, cast(notes as varchar) as message
    from control.runs
    where cast($full as boolean) or changed or kind = 'full'
    union all
    select
        source, '', 'failed', failed_at, cast(extract(epoch from failed_at) - extract(epoch from began_at) as decimal(12, 3)),
        0, 0, 0, 0, 0, exit_code, message
    from control.failed_pulls
) as runs
where cast($source as varchar) is null or source = $source
order by finished_at desc, source collate "C", entity collate "C"
limit $most offset $skip
