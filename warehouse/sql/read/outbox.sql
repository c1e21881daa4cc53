-- Wishes that no plan has taken up, or only one that expired and was never applied, oldest first.
select o.wish_id, o.id, o.field, o.value
from control.outbox as o
left join control.plans as p on p.source = o.source and p.plan_id = o.plan_id
where o.source = $source and (o.plan_id is null or (p.state = 'planned' and p.expires_at < $now))
order by o.wished_at
