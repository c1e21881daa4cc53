-- Carry the plans of merges over. When their clients were read was not kept: it was right before they were made.
insert into control.plans (
    source, plan_id, kind, made_at, expires_at, base_at, newest_at, author, reason, company, version, digest, state, applied_at
)
select
    source, plan_id, 'merge', made_at, expires_at, made_at, made_at, author, reason, company, version, digest, state, applied_at
from control.merge_plans
