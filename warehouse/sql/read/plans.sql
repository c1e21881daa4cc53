-- The newest plans, with how many clients they change and what became of them.
select
    p.source,
    p.plan_id,
    p.made_at,
    p.author,
    p.reason,
    p.state,
    (select count(distinct c.id) from control.plan_cells as c where c.source = p.source and c.plan_id = p.plan_id) as clients,
    (select count(*) from control.plan_cells as c where c.source = p.source and c.plan_id = p.plan_id) as cells,
    (
        select count(*) from control.outcomes as o
        where o.source = p.source and o.plan_id = p.plan_id and o.outcome = 'applied'
    ) as applied,
    (
        select count(*) from control.outcomes as o
        where o.source = p.source and o.plan_id = p.plan_id and o.outcome = 'there already'
    ) as there_already,
    (
        select count(*) from control.outcomes as o
        where o.source = p.source and o.plan_id = p.plan_id and o.outcome not in ('applied', 'there already')
    ) as not_applied,
    p.expires_at,
    p.undoes
from control.plans as p
where cast($source as varchar) is null or p.source = $source
order by p.made_at desc
limit $top
