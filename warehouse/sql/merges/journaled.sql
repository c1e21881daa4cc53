-- The clients that the calls of a plan have merged away, by the journal.
select e.id
from control.journal_edits as e
join control.journal as j on j.source = e.source and j.call_id = e.call_id and j.state = 'intended'
where e.source = $source and j.plan_id = $plan_id and j.verb = 'merge' and e.place = 1 and e.outcome = 'applied'
