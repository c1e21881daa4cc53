-- All changes of the outbox, oldest first, with what has become of each and why.
select
    cast(o.wish_id as varchar) as change,
    o.source,
    o.id,
    o.field,
    o.value,
    o.reason,
    o.author,
    o.wished_at,
    case
        when o.plan_id is null then 'waiting'
        when o.plan_id = 'nothing to change' then 'there already'
        when o.plan_id like 'refused: %' then 'refused'
        when x.outcome is not null then x.outcome
        when p.state = 'planned' and p.expires_at < now() then 'waiting'
        when p.state = 'ended' then 'waiting'
        else coalesce(p.state, 'planned')
    end as state,
    case when o.plan_id like 'refused: %' then substr(o.plan_id, 10) else coalesce(x.message, '') end as why,
    p.plan_id as plan_id
from control.outbox as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
left join control.outcomes as x
    on x.source = o.source and x.plan_id = o.plan_id and x.id = o.id and x.field = o.field
order by o.wished_at, o.id, o.field
