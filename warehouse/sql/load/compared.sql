-- Each version that arrives with the one before it, which has just ended, or did when the client went away.
with away as (
    select id, record, row_number() over (partition by id order by valid_to desc, valid_from desc) as place
    from control.client_versions
    where source = $source and ended_by <> 'changed' and id in (select id from opened where outcome = 'inserted')
),
before as (
    select id, record from control.client_versions where source = $source and ended_run_id = $run_id
    union all
    select id, record from away where place = 1
)
select o.id, s.display_name, o.valid_from, cast(b.record as varchar) as before, s.record as after
from opened as o
join before as b on b.id = o.id
join stage_{entity} as s on s.arrival = o.arrival
