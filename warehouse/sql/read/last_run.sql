-- When the last run of a source ended, and how many seconds it took; with $full, the last one that read everything.
select finished_at, seconds
from control.runs
where source = $source and (kind = 'full' or not cast($full as boolean))
order by finished_at desc
limit 1
