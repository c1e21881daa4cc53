-- The plans of a source whose application was begun and has not come to its end.
select plan_id from control.plans where source = $source and state = 'applying' order by made_at
