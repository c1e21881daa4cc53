-- Which clients are missing from the server's list and stay: those of this pass, each since it was first missed.
create temp table unlisted_now as
select s.id, s.why, coalesce(u.since_run_id, $run_id) as since_run_id, u.why is distinct from s.why as is_new
from stage_unlisted as s
left join control.unlisted as u on u.source = $source and u.id = s.id
