-- The plans, push and merge, that can still be approved and are not, with how many clients they are about.
select p.source, p.plan_id, p.kind, p.clients, p.made_at, p.expires_at, p.digest, a.asked_by
from (
    select
        'push' as kind,
        source,
        plan_id,
        digest,
        state,
        made_at,
        expires_at,
        (
            select count(distinct c.id) from control.plan_cells as c
            where c.source = plans.source and c.plan_id = plans.plan_id
        ) as clients
    from control.plans
    union all
    select
        'merge' as kind,
        source,
        plan_id,
        digest,
        state,
        made_at,
        expires_at,
        (
            select count(distinct m.id)
            from (
                select source, plan_id, survivor_id as id from control.merge_steps
                union all
                select source, plan_id, mergeable_id as id from control.merge_steps
            ) as m
            where m.source = merge_plans.source and m.plan_id = merge_plans.plan_id
        ) as clients
    from control.merge_plans
) as p
left join control.approvals as a on a.source = p.source and a.plan_id = p.plan_id and a.digest = p.digest
where p.state = 'planned' and p.expires_at >= $now and a.approved_at is null
    and (cast($source as varchar) is null or p.source = $source)
order by p.made_at, p.plan_id collate "C"
