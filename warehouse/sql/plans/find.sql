-- A plan by its id, whatever its source.
select source, plan_id, made_at, expires_at, base_at, newest_at, author, reason, company, undoes, digest, state, applied_at
from control.plans where plan_id = $plan_id
