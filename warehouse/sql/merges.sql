-- Plans of merges: storing and applying them.

-- :name find
-- A plan of merges by its id.
select source, plan_id, made_at, expires_at, author, reason, company, version, digest, state, applied_at
from control.merge_plans where plan_id = $plan_id

-- :name insert_plan
-- Store a plan of merges.
insert into control.merge_plans values (
    $source, $plan_id, $made_at, $expires_at, $author, $reason, $company, $version, $digest, 'planned', null
)

-- :name insert_steps
-- Store the merges of a plan.
insert into control.merge_steps
select
    $source, $plan_id, unnest(cast($places as bigint[])), unnest(cast($survivors as varchar[])),
    unnest(cast($mergeables as varchar[])), cast(unnest(cast($told as varchar[])) as json), 'planned', null, null

-- :name journaled
-- The clients that the calls of a plan have merged away, by the journal.
select e.id
from control.journal_edits as e
join control.journal as j on j.source = e.source and j.call_id = e.call_id and j.state = 'intended'
where e.source = $source and j.plan_id = $plan_id and j.verb = 'merge' and e.place = 1 and e.outcome = 'applied'

-- :name set_state
-- Note how far a plan of merges has come.
update control.merge_plans set state = $state, applied_at = $applied_at where source = $source and plan_id = $plan_id

-- :name set_step
-- Note how far one merge of a plan has come.
update control.merge_steps set state = $state, backup = coalesce($backup, backup), noted_at = $noted_at
where source = $source and plan_id = $plan_id and place = $place

-- :name steps
-- The merges of a plan, in their order.
select place, told, state, backup from control.merge_steps
where source = $source and plan_id = $plan_id
order by place

-- :name under_way
-- The plans of merges of a source whose application was begun and has not come to its end.
select plan_id from control.merge_plans where source = $source and state = 'applying' order by made_at
