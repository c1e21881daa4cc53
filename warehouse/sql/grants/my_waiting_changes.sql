-- The queued changes of the role that asks that no plan has taken up: delete one to withdraw it.
create or replace view control.my_waiting_changes as
select wish_id as change, source, id, field, value, reason, wished_at, plan_id as refused
from control.outbox
where author = current_user and (plan_id is null or plan_id like 'refused: %')
