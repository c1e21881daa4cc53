-- Forget the outcomes of these cells of a plan, which are told anew.
delete from control.outcomes
where source = $source and plan_id = $plan_id
    and exists (
        select 1 from (select unnest(cast($ids as varchar[])) as id, unnest(cast($fields as varchar[])) as field) as told
        where told.id = outcomes.id and told.field = outcomes.field
    )
