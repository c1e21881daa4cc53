-- Note what a call is to change, client by client.
insert into control.journal_edits
select
    $source, $call_id, unnest(cast($places as bigint[])), unnest(cast($ids as varchar[])),
    cast(unnest(cast($befores as varchar[])) as json), cast(unnest(cast($afters as varchar[])) as json), null
