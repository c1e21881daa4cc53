-- The newest run that changed something, how many such runs there were, and what the published copy shows: since when,
-- how many of them, and how many seconds it took to write.
select
    (select r.run_id from control.runs as r where r.changed order by r.finished_at desc, r.run_id collate "C" desc limit 1) as newest,
    (select count(*) from control.runs as r where r.changed) as changed_runs,
    max(p.changed_runs) as shown, max(p.published_at) as published_at, max(p.seconds) as seconds
from control.published as p
