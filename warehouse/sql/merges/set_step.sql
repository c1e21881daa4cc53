-- Note how far one merge of a plan has come.
update control.merge_steps set state = $state, backup = coalesce($backup, backup), noted_at = $noted_at
where source = $source and plan_id = $plan_id and place = $place
