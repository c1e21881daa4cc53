-- The plan, push or merge, that was stored with this digest.
select 'push' as kind, source, plan_id from control.plans where digest = $digest
union all
select 'merge' as kind, source, plan_id from control.merge_plans where digest = $digest
