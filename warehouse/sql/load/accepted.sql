-- The newest staged version of each record, and what it is to the mirror.
-- What was read behind an interruption is newer than all that was read before it, whatever its stamp.
create temp table accepted as
with newest as (
    select id, arrival, row_number() over (partition by id order by updated_at desc nulls last, arrival desc) as place
    from stage_{entity} as s
    where arrival >= $resumed_at
        or not exists (
            select 1 from stage_{entity} as n where $resumed_at > 0 and n.arrival >= $resumed_at and n.id = s.id
        )
)
select
    s.id,
    s.arrival,
    case
        when m.id is null then 'inserted'
        when m.row_hash <> s.row_hash then 'updated'
        when cast(m.record as varchar) <> s.record then 'touched'
        else 'unchanged'
    end as outcome
from newest as n
join stage_{entity} as s on s.arrival = n.arrival
left join ninja.{entity} as m on m.source = $source and m.id = s.id
where n.place = 1
