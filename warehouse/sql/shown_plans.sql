-- Plans and queued changes as people look at them, a page at a time.

-- :name called
-- The numbers and names of clients.
select id, number, display_name from ninja.clients
where source = $source and id in (select unnest(cast($ids as varchar[])))

-- :name cells
-- One page of the values of a plan, with their clients, and the outcome of each.
select
    c.id, c.number, n.display_name, c.field, cast(c.before as varchar) as before, cast(c.after as varchar) as after,
    o.outcome, coalesce(o.message, '') as message
from (
    select c.source, c.id, n.number, c.field, c.before, c.after
    from control.plan_cells as c
    left join ninja.clients as n on n.source = c.source and n.id = c.id
    where c.source = $source and c.plan_id = $plan_id and c.field = coalesce($field, c.field)
    order by n.number collate "C", c.id collate "C", c.field collate "C"
    limit $most offset $first
) as c
left join control.outcomes as o on o.source = $source and o.plan_id = $plan_id and o.id = c.id and o.field = c.field
left join ninja.clients as n on n.source = c.source and n.id = c.id
order by c.number collate "C", c.id collate "C", c.field collate "C"

-- :name cells_by_field
-- How many values of each field a plan has.
select field, count(*) as n from control.plan_cells
where source = $source and plan_id = $plan_id
group by field
order by field collate "C"

-- :name cells_by_outcome
-- How many values of a plan have each outcome; values without one are not here.
select outcome, count(*) as n from control.outcomes
where source = $source and plan_id = $plan_id
group by outcome
order by outcome collate "C"

-- :name cells_of_outcomes
-- One page of the values of a plan that have one of these outcomes, and how many there are. Without one, a value is not sent.
select
    c.id, n.number, n.display_name, c.field, cast(c.before as varchar) as before, cast(c.after as varchar) as after,
    o.outcome, coalesce(o.message, '') as message, count(*) over () as total
from control.plan_cells as c
left join control.outcomes as o on o.source = c.source and o.plan_id = c.plan_id and o.id = c.id and o.field = c.field
left join ninja.clients as n on n.source = c.source and n.id = c.id
where c.source = $source and c.plan_id = $plan_id and c.field = coalesce($field, c.field)
    and coalesce(o.outcome, 'not sent') in (select unnest(cast($outcomes as varchar[])))
order by n.number collate "C", c.id collate "C", c.field collate "C"
limit $most offset $first

-- :name counted
-- How many plans there are.
select count(*) from control.plans where source = coalesce($source, source)

-- :name custom_labels
-- The labels of custom fields, as each company has set them.
select source, cast(custom_fields as varchar) from ninja.companies where custom_fields is not null

-- :name filled
-- How many blanks a plan fills in some fields, by field.
select field, count(*) as n from control.plan_cells
where source = $source and plan_id = $plan_id
    and field in (select unnest(cast($fields as varchar[])))
    and coalesce(cast(before as varchar), 'null') in ('null', '""')
group by field
order by field collate "C"

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
    -- Counted twice, because Postgres sorts for a count of distinct texts.
    select c.source, c.plan_id, cast(sum(c.cells) as bigint) as cells, count(*) as clients
    from (
        select c.source, c.plan_id, c.id, count(*) as cells
        from control.plan_cells as c
        join page on page.source = c.source and page.plan_id = c.plan_id
        group by c.source, c.plan_id, c.id
    ) as c
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
-- Queued changes, the newest first, with their state and their clients.
select
    q.change, q.source, q.id, q.field, q.value, q.reason, q.author, q.wished_at, q.state, q.why, q.plan_id, n.number,
    n.display_name
from (
    {queued}
) as q
left join ninja.clients as n on n.source = q.source and n.id = q.id
order by q.wished_at desc, q.change

-- :name queue_counted
-- How many queued changes wait, were refused, are of a rejected plan, and are in a plan or done.
select
    cast(sum(case when grouped.turn = 'waiting' then 1 else 0 end) as bigint) as waiting,
    cast(sum(case when grouped.turn = 'refused' then 1 else 0 end) as bigint) as refused,
    cast(sum(case when grouped.turn = 'rejected' then 1 else 0 end) as bigint) as rejected,
    cast(sum(case when grouped.turn = 'taken' then 1 else 0 end) as bigint) as taken
from (
    {grouped}
) as grouped
where grouped.source = coalesce($source, grouped.source)

-- :name queue_grouped
-- The queued changes by what comes next: waiting, refused and rejected ones are in no plan, taken ones are, or are done.
select
    o.*,
    case
        when o.plan_id is null then 'waiting'
        when o.plan_id like 'refused: %' then 'refused'
        when p.state = 'rejected' then 'rejected'
        when p.state = 'planned' and p.expires_at < now() then 'waiting'
        when p.state = 'ended' and x.id is null then 'waiting'
        else 'taken'
    end as turn
from control.outbox as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
left join (
    select distinct x.source, x.plan_id, x.id, x.field
    from control.outcomes as x
    join control.plans as p on p.source = x.source and p.plan_id = x.plan_id and p.state = 'ended'
) as x on x.source = o.source and x.plan_id = o.plan_id and x.id = o.id and x.field = o.field

-- :name queue_of_groups
-- One page of the queued changes of some groups, the newest first.
select grouped.*
from (
    {grouped}
) as grouped
where grouped.source = coalesce($source, grouped.source)
    and grouped.turn in (select unnest(cast($groups as varchar[])))
order by grouped.wished_at desc, cast(grouped.wish_id as varchar)
limit $most offset $first

-- :name taken_up
-- The queued changes that a plan took up, with their reasons and authors, oldest first.
select id, field, coalesce(reason, ''), author from control.outbox
where source = $source and plan_id = $plan_id
order by wished_at, cast(wish_id as varchar)

-- :name undone_by
-- The newest plan that undoes a plan and was not rejected, closed or left to expire.
select plan_id from control.plans
where source = $source and undoes = $plan_id
    and (state in ('applying', 'applied') or (state = 'planned' and expires_at >= $now))
order by made_at desc
limit 1
