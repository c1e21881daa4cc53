-- Plans and queued changes as people look at them, a page at a time.

-- :name cells
-- The values of a plan, with their clients, and the outcome of each; first those that are not as planned.
select
    c.id, n.number, n.display_name, c.field, cast(c.before as varchar) as before, cast(c.after as varchar) as after,
    o.outcome, coalesce(o.message, '') as message
from control.plan_cells as c
left join control.outcomes as o on o.source = c.source and o.plan_id = c.plan_id and o.id = c.id and o.field = c.field
left join ninja.clients as n on n.source = c.source and n.id = c.id
where c.source = $source and c.plan_id = $plan_id
    and (cast($field as varchar) is null or c.field = $field)
    and (cast($outcome as varchar) is null or coalesce(o.outcome, 'not sent') = $outcome)
order by
    case when coalesce(o.outcome, 'applied') in ('applied', 'there already', 'as it was already') then 1 else 0 end,
    n.number collate "C", c.id collate "C", c.field collate "C"
limit $most offset $first

-- :name cells_counted
-- How many values of a plan there are, by field and outcome, and how many in all.
select c.field, coalesce(o.outcome, 'not sent') as outcome, count(*) as n
from control.plan_cells as c
left join control.outcomes as o on o.source = c.source and o.plan_id = c.plan_id and o.id = c.id and o.field = c.field
where c.source = $source and c.plan_id = $plan_id
group by c.field, coalesce(o.outcome, 'not sent')
order by c.field collate "C"

-- :name counted
-- How many plans there are.
select count(*) from control.plans where source = coalesce($source, source)

-- :name custom_labels
-- The labels of custom fields, as each company has set them.
select source, cast(custom_fields as varchar) from ninja.companies where custom_fields is not null

-- :name plans
-- The plans, those that wait for somebody first, then the newest, with the number of their clients and values.
with page as (
    select
        *, case when state = 'applying' then 0 when state = 'planned' and expires_at >= $now then 1 else 2 end as turn
    from control.plans
    where source = coalesce($source, source) and plan_id = coalesce($plan_id, plan_id)
    order by turn, made_at desc, plan_id collate "C", source collate "C"
    limit $most offset $first
),
cells as (
    select c.source, c.plan_id, count(*) as cells, count(distinct c.id) as clients
    from control.plan_cells as c
    join page on page.source = c.source and page.plan_id = c.plan_id
    group by c.source, c.plan_id
),
steps as (
    select s.source, s.plan_id, count(*) as merges, count(case when s.state like 'done%' then 1 end) as merged
    from control.merge_steps as s
    join page on page.source = s.source and page.plan_id = s.plan_id
    group by s.source, s.plan_id
),
results as (
    select
        o.source, o.plan_id, count(case when o.outcome in ('applied', 'there already', 'as it was already') then 1 end) as as_planned,
        count(case when o.outcome not in ('applied', 'there already', 'as it was already') then 1 end) as otherwise
    from control.outcomes as o
    join page on page.source = o.source and page.plan_id = o.plan_id
    group by o.source, o.plan_id
)
select
    p.source, p.plan_id, p.kind, p.state, p.digest, p.author, p.reason, p.made_at, p.expires_at, p.applied_at, p.undoes,
    coalesce(c.clients, 0) as clients, coalesce(c.cells, 0) as cells, coalesce(s.merges, 0) as merges,
    coalesce(s.merged, 0) as merged, coalesce(o.as_planned, 0) as as_planned, coalesce(o.otherwise, 0) as otherwise,
    a.asked_by, a.approved_by, a.approved_at, a.comment as approval_comment, r.rejected_by, r.rejected_at,
    r.comment as rejection_comment
from page as p
left join cells as c on c.source = p.source and c.plan_id = p.plan_id
left join steps as s on s.source = p.source and s.plan_id = p.plan_id
left join results as o on o.source = p.source and o.plan_id = p.plan_id
left join control.approvals as a on a.source = p.source and a.plan_id = p.plan_id and a.digest = p.digest
left join control.rejections as r on r.source = p.source and r.plan_id = p.plan_id
order by p.turn, p.made_at desc, p.plan_id collate "C", p.source collate "C"

-- :name queue
-- The queued changes in some states, the newest first, with their clients.
select
    q.change, q.source, q.id, q.field, q.value, q.reason, q.author, q.wished_at, q.state, q.why, q.plan_id, n.number,
    n.display_name
from (
    {queued}
) as q
left join ninja.clients as n on n.source = q.source and n.id = q.id
where q.source = coalesce($source, q.source) and q.state in (select unnest(cast($states as varchar[])))
order by q.wished_at desc, q.change
limit $most offset $first

-- :name queue_counted
-- How many queued changes there are in each state.
select q.state, count(*) as n
from (
    {queued}
) as q
where q.source = coalesce($source, q.source)
group by q.state

-- :name undone_by
-- The newest plan that undoes a plan and was not rejected, closed or left to expire.
select plan_id from control.plans
where source = $source and undoes = $plan_id
    and (state in ('applying', 'applied') or (state = 'planned' and expires_at >= $now))
order by made_at desc
limit 1
