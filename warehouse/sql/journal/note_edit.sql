-- Note what a call is to change of one client.
insert into control.journal_edits
values ($source, $call_id, $place, $id, cast($before as json), cast($after as json), null)
