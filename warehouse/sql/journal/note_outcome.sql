-- Note what became of one client of a call; a client that it has made gets its id.
update control.journal_edits set outcome = $outcome, id = $id
where source = $source and call_id = $call_id and place = $place
