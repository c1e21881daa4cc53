-- Remove the planned and done merges in which an erased client has part, and those of the same plan that may hold what
-- was rescued of it: those of the clients into which it goes.
delete from control.merge_steps
where source = $source and (plan_id, place) in (
    with recursive holds (plan_id, id) as (
        select plan_id, cast($id as varchar) from control.merge_steps
        where source = $source and (survivor_id = $id or mergeable_id = $id)
        union
        select step.plan_id, step.survivor_id
        from holds
        join control.merge_steps as step on step.plan_id = holds.plan_id and step.mergeable_id = holds.id
        where step.source = $source
    )
    select step.plan_id, step.place
    from holds
    join control.merge_steps as step on step.plan_id = holds.plan_id
    where step.source = $source and (step.survivor_id = holds.id or step.mergeable_id = holds.id)
)
