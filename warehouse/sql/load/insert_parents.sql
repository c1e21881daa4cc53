-- Put in every record that is new or comes in another version.
insert into ninja.{entity} ({columns})
select {selected}
from stage_{entity} as s
join opened as o on o.arrival = s.arrival
