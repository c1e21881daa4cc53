-- Views for the roles that queue changes, on Postgres.

-- :name my_changes
-- The queued changes of the current role, with the state of each and the reason for a refusal. No value of the mirror.
create or replace view control.my_changes as
select
    o.wish_id as change,
    o.source,
    o.id,
    o.field,
    o.value,
    o.reason,
    o.wished_at,
    case
        when o.plan_id like 'refused: %' then 'refused'
        when o.plan_id = 'nothing to change' then 'there already'
        else coalesce(x.outcome, p.state, 'waiting')
    end as state,
    case when o.plan_id like 'refused: %' then substr(o.plan_id, 10) else r.comment end as why
from control.outbox as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
left join control.rejections as r on r.source = o.source and r.plan_id = o.plan_id
left join control.outcomes as x
    on x.source = o.source and x.plan_id = o.plan_id and x.id = o.id and x.field = o.field
where o.author = current_user

-- :name my_waiting_changes
-- The current role's queued changes that no plan will send: those that wait or were refused, and those of rejected plans.
-- Deleting a row withdraws the change.
create or replace view control.my_waiting_changes as
select wish_id as change, source, id, field, value, reason, wished_at, plan_id as refused
from control.outbox
where author = current_user
    and (
        plan_id is null
        or plan_id like 'refused: %'
        or (source, plan_id) in (select p.source, p.plan_id from control.plans as p where p.state = 'rejected')
    )
