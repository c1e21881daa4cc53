-- Note by which plan these wishes of the outbox were taken up.
update control.outbox set plan_id = $plan_id
where source = $source and cast(wish_id as varchar) in (select unnest(cast($wish_ids as varchar[])))
