-- Calls that were noted and never settled, oldest first.
select j.call_id, j.noted_at, j.operator, j.plan_id, j.verb
from control.journal as j
where j.source = $source and j.state = 'intended'
    and not exists (
        select 1 from control.journal as s
        where s.source = j.source and s.call_id = j.call_id and s.state = 'settled'
    )
order by j.number
