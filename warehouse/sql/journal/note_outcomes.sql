-- Note what became of the clients of a call; a client that it has made gets its id. Places alone would not do: the edits
-- of a client that was erased meanwhile are gone.
update control.journal_edits as e set outcome = told.outcome, id = told.id
from (
    select
        unnest(cast($places as bigint[])) as place,
        unnest(cast($ids as varchar[])) as id,
        unnest(cast($outcomes as varchar[])) as outcome
) as told
where e.source = $source and e.call_id = $call_id
    and (e.id = told.id or (e.id = '' and e.place = told.place))
