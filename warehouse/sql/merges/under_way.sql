-- The plans of merges of a source whose application was begun and has not come to its end.
select plan_id from control.merge_plans where source = $source and state = 'applying' order by made_at
