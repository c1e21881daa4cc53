-- Put in the children of every record that is new or comes in another version; one that moved, where it came last.
insert into ninja.{child} ({columns})
select {selected}
from (
    select s.*, row_number() over (partition by s.id order by s.updated_at desc nulls last, s.arrival desc) as place
    from stage_{child} as s
    join accepted as a on a.arrival = s.arrival
    where a.outcome <> 'unchanged'
) as s
where s.place = 1
