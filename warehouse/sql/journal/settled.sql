-- Whether a call was noted, whether it was settled, and by which verb and plan.
select verb, plan_id, max(case when state = 'settled' then 1 else 0 end) as settled
from control.journal where source = $source and call_id = $call_id
group by verb, plan_id
