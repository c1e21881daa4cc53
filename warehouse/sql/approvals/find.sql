-- What is known of the approval of a plan with exactly this digest.
select source, plan_id, digest, asked_by, asked_at, approved_by, approved_at
from control.approvals where plan_id = $plan_id and digest = $digest
