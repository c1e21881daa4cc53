-- Note who approves a plan; whoever was first stays.
update control.approvals set approved_by = $by, approved_at = $now
where source = $source and plan_id = $plan_id and digest = $digest and approved_at is null
