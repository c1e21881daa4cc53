-- Note what became of the clients of a call; a client that it has made gets its id.
update control.journal_edits as e set outcome = told.outcome, id = told.id
from (
    select
        unnest(cast($places as bigint[])) as place,
        unnest(cast($ids as varchar[])) as id,
        unnest(cast($outcomes as varchar[])) as outcome
) as told
where e.source = $source and e.call_id = $call_id and e.place = told.place
