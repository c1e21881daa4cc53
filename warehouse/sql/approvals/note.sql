-- Have a row for a plan and its digest, where there is none yet.
insert into control.approvals (source, plan_id, digest)
select $source, $plan_id, $digest
where not exists (
    select 1 from control.approvals where source = $source and plan_id = $plan_id and digest = $digest
)
