-- What became of the cells of a plan.
select id, field, outcome, message from control.outcomes
where source = $source and plan_id = $plan_id
order by id collate "C", field collate "C"
