-- Store the merges of a plan.
insert into control.merge_steps
select
    $source, $plan_id, unnest(cast($places as bigint[])), unnest(cast($survivors as varchar[])),
    unnest(cast($mergeables as varchar[])), cast(unnest(cast($told as varchar[])) as json), 'planned', null, null
