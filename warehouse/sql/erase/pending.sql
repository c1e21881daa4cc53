-- The sources of erasures whose files are still to be cleaned.
select distinct source from control.erasures where finished_at is null order by source
