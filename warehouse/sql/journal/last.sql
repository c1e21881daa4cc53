-- The last row of a source's journal.
select number, digest from control.journal where source = $source order by number desc limit 1
