-- Note how far a plan has come.
update control.plans set state = $state, applied_at = $applied_at where source = $source and plan_id = $plan_id
