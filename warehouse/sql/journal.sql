-- The journal of calls that write.

-- :name edits
-- The edits of a call, each with its outcome.
select id, before, after, outcome from control.journal_edits
where source = $source and call_id = $call_id
order by place

-- :name note
-- Add one row to the journal, after the last one of its source.
insert into control.journal (source, number, call_id, noted_at, operator, plan_id, verb, state, clients, message)
select
    $source, coalesce(max(number), 0) + 1, $call_id, $noted_at, $operator, $plan_id, $verb, $state, cast($clients as json),
    $message
from control.journal where source = $source

-- :name note_edits
-- Note the edits of a call, client by client.
insert into control.journal_edits
select
    $source, $call_id, unnest(cast($places as bigint[])), unnest(cast($ids as varchar[])),
    cast(unnest(cast($befores as varchar[])) as json), cast(unnest(cast($afters as varchar[])) as json), null

-- :name note_outcomes
-- Note the outcomes for the clients of a call; a client that it made gets its id. Places alone are not enough: the edits
-- of a client erased meanwhile are gone.
update control.journal_edits as e set outcome = told.outcome, id = told.id
from (
    select
        unnest(cast($places as bigint[])) as place,
        unnest(cast($ids as varchar[])) as id,
        unnest(cast($outcomes as varchar[])) as outcome
) as told
where e.source = $source and e.call_id = $call_id
    and (e.id = told.id or (e.id = '' and e.place = told.place))

-- :name unmade
-- The settled edits of a call that have no client's id.
select place, after from control.journal_edits
where source = $source and call_id = $call_id and id = '' and outcome is not null

-- :name keep_names
-- Put the names of an edit's fields, without values, in place of what was wanted.
update control.journal_edits set after = cast($after as json)
where source = $source and call_id = $call_id and place = $place

-- :name open
-- Calls that were noted and never settled, oldest first.
select j.call_id, j.noted_at, j.operator, j.plan_id, j.verb
from control.journal as j
where j.source = $source and j.state = 'intended'
    and not exists (
        select 1 from control.journal as s
        where s.source = j.source and s.call_id = j.call_id and s.state = 'settled'
    )
order by j.number

-- :name settled
-- Whether a call was noted, whether it was settled, and by which verb and plan.
select verb, plan_id, max(case when state = 'settled' then 1 else 0 end) as settled
from control.journal where source = $source and call_id = $call_id
group by verb, plan_id

-- :name sources
-- The sources that have a journal.
select distinct source from control.journal order by source
