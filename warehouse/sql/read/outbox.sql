-- Changes that wait for a plan, oldest first: no plan has taken them up, or one that ended and did not send them.
select o.wish_id, o.id, o.field, o.value
from control.outbox as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
where o.source = $source
    and (
        o.plan_id is null
        or (p.state = 'planned' and p.expires_at < $now)
        or (
            p.state = 'ended'
            and not exists (
                select 1 from control.outcomes as x
                where x.source = o.source and x.plan_id = o.plan_id and x.id = o.id and x.field = o.field
            )
        )
    )
order by o.wished_at
