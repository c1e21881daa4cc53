-- Wishes that no plan has taken up, oldest first.
select wish_id, id, field, value from control.outbox
where source = $source and plan_id is null
order by wished_at
