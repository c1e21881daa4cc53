-- The merges of a plan, in their order.
select place, told, state, backup from control.merge_steps
where source = $source and plan_id = $plan_id
order by place
