-- Put in every record that is new or comes in another version.
insert into ninja.{entity} ({columns})
select {selected}
from stage_{entity} as s
join accepted as a on a.arrival = s.arrival
where a.outcome <> 'unchanged'
