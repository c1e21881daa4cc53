-- Clients of the mirror that we have merged away or purged ourselves, by the journal: into which client, by which call.
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
where
    e.source = $source
    and e.outcome = 'applied'
    and (j.verb = 'purge' or (j.verb = 'merge' and e.place = 1))
    and exists (select 1 from ninja.clients as c where c.source = e.source and c.id = e.id)
