-- All rows of a source's journal, in their order.
select number, call_id, noted_at, operator, plan_id, verb, state, clients, message, previous, digest
from control.journal where source = $source
order by number
