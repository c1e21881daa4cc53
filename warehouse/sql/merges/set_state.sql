-- Note how far a plan of merges has come.
update control.merge_plans set state = $state, applied_at = $applied_at where source = $source and plan_id = $plan_id
