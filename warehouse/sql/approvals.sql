-- Approvals of plans by people.

-- :name approve
-- Note who approves a plan; a first approval stays.
update control.approvals set approved_by = $by, approved_at = $now, comment = $comment
where source = $source and plan_id = $plan_id and digest = $digest and approved_at is null

-- :name ask
-- Note which flow run asks for the approval of a plan; an approved plan stays approved.
update control.approvals set asked_by = $asked_by, asked_at = $now
where source = $source and plan_id = $plan_id and digest = $digest

-- :name asked_by
-- The last request of a flow run.
select source, plan_id, digest, asked_by, asked_at, approved_by, approved_at, comment
from control.approvals where asked_by = $run_id
order by asked_at desc
limit 1

-- :name find
-- The approval of a plan with exactly this digest.
select source, plan_id, digest, asked_by, asked_at, approved_by, approved_at, comment
from control.approvals where plan_id = $plan_id and digest = $digest

-- :name note
-- Insert a row for a plan and its digest, if there is none yet.
insert into control.approvals (source, plan_id, digest)
select $source, $plan_id, $digest
where not exists (
    select 1 from control.approvals where source = $source and plan_id = $plan_id and digest = $digest
)

-- :name plan
-- The plan stored with this digest.
select kind, source, plan_id from control.plans where digest = $digest

-- :name reject
-- Note who rejects a plan, and why.
insert into control.rejections (source, plan_id, digest, rejected_by, rejected_at, comment)
values ($source, $plan_id, $digest, $by, $now, $comment)

-- :name turn_down
-- Make a plan that nobody has begun a rejected one.
update control.plans set state = 'rejected'
where source = $source and plan_id = $plan_id and digest = $digest and state = 'planned'
returning plan_id

-- :name waiting
-- The plans that wait for an approval and have not expired, with the number of their clients.
select
    p.source,
    p.plan_id,
    p.kind,
    (
        select count(distinct c.id)
        from (
            select source, plan_id, id from control.plan_cells
            union all
            select source, plan_id, survivor_id from control.merge_steps
            union all
            select source, plan_id, mergeable_id from control.merge_steps
        ) as c
        where c.source = p.source and c.plan_id = p.plan_id
    ) as clients,
    p.made_at,
    p.expires_at,
    p.digest,
    a.asked_by
from control.plans as p
left join control.approvals as a on a.source = p.source and a.plan_id = p.plan_id and a.digest = p.digest
where p.state = 'planned' and p.expires_at >= $now and a.approved_at is null
    and (cast($source as varchar) is null or p.source = $source)
order by p.made_at, p.plan_id collate "C"
