-- A plan of merges by its id.
select source, plan_id, made_at, expires_at, author, reason, company, version, digest, state, applied_at
from control.merge_plans where plan_id = $plan_id
