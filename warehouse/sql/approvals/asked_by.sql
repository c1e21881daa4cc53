-- What a flow run has asked for last.
select source, plan_id, digest, asked_by, asked_at, approved_by, approved_at
from control.approvals where asked_by = $run_id
order by asked_at desc
limit 1
