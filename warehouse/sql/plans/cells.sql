-- The cells of a plan, in their order.
select id, field, before, after, by_put from control.plan_cells
where source = $source and plan_id = $plan_id
order by id collate "C", field collate "C"
