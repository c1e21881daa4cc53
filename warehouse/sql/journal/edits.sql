-- What a call was to change of which clients, and what became of them.
select id, before, after, outcome from control.journal_edits
where source = $source and call_id = $call_id
order by place
