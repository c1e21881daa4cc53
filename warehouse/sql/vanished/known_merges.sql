-- The merges that are known: into which client, of what name and balance the other one was.
select r.into_id, v.display_name, v.balance
from control.redirects as r
join control.client_versions as v on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
where r.source = $source and r.kind = 'merged' and r.returned_run_id is null
