-- What the journal knows of the clients of a plan: which call was to change what, and what became of it.
select e.id, e.after, e.outcome, coalesce(s.message, '') as message
from control.journal_edits as e
join control.journal as j on j.source = e.source and j.call_id = e.call_id and j.state = 'intended'
left join control.journal as s on s.source = e.source and s.call_id = e.call_id and s.state = 'settled'
where e.source = $source and j.plan_id = $plan_id
order by j.number, e.place
