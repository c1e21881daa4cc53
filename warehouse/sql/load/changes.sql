-- Each record that is new or changed, as it was and as it comes, for the report of the run.
select o.outcome, o.id, cast(v.record as varchar) as before, s.record as after
from opened as o
join stage_{entity} as s on s.arrival = o.arrival
left join control.client_versions as v on v.source = $source and v.id = o.id and v.ended_run_id = $run_id
where o.outcome = 'updated' or (o.outcome = 'inserted' and $with_inserted)
order by o.outcome desc, s.updated_at desc nulls last, o.id collate "C"
limit $most
