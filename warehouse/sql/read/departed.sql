-- The clients that one run has taken out, with the client that took each one in.
select r.id, v.display_name, r.kind, r.into_id, c.display_name as into_name, r.evidence
from control.redirects as r
join control.client_versions as v on v.source = r.source and v.id = r.id and v.ended_run_id = r.run_id and v.ended_by = r.kind
left join ninja.clients as c on c.source = r.source and c.id = r.into_id
where r.source = $source and r.run_id = $run_id
order by v.display_name collate "C", r.id collate "C"
