-- Note which flow run asks for a plan to be approved; what is approved stays so.
update control.approvals set asked_by = $asked_by, asked_at = $now
where source = $source and plan_id = $plan_id and digest = $digest
