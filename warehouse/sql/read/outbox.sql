-- Wishes that no plan has taken up, oldest first.
select id, field, value from control.outbox
where source = $source and plan_id is null
order by wished_at
