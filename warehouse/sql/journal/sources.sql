-- The sources that have a journal.
select distinct source from control.journal order by source
