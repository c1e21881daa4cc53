-- The newest plans of merges, and how far they have come.
select
    p.source,
    p.plan_id,
    p.made_at,
    p.author,
    p.reason,
    p.state,
    (select count(*) from control.merge_steps as s where s.source = p.source and s.plan_id = p.plan_id) as merges,
    (
        select count(*) from control.merge_steps as s
        where s.source = p.source and s.plan_id = p.plan_id and s.state in ('merged', 'done', 'done without rescue')
    ) as done,
    p.expires_at
from control.merge_plans as p
where cast($source as varchar) is null or p.source = $source
order by p.made_at desc
limit $top
