-- Remember what became of clients that vanished.
insert into control.redirects (source, id, kind, into_id, evidence, run_id, vanished_at, returned_run_id)
select $source, e.id, e.ended_by, e.into_id, e.evidence, $run_id, e.valid_to, null
from ended as e
where not exists (
    select 1 from control.redirects as r where r.source = $source and r.id = e.id and r.returned_run_id is null
)
