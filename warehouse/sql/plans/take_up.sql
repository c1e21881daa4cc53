-- Note by which plan the open wishes of the outbox were taken up.
update control.outbox set plan_id = $plan_id where source = $source and plan_id is null and wished_at <= $wished_at
