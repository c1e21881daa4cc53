-- Each record that is new or changed, as it was and as it comes, for the report of the run.
select a.outcome, a.id, cast(m.record as varchar) as before, s.record as after
from accepted as a
join stage_{entity} as s on s.arrival = a.arrival
left join ninja.{entity} as m on m.source = $source and m.id = a.id
where a.outcome = 'updated' or (a.outcome = 'inserted' and $with_inserted)
order by a.outcome desc, s.updated_at desc, a.id
limit $most
