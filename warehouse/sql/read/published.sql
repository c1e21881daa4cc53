-- The newest run that changed something, how many such runs there were, and how many of them the published copy shows.
select
    (select r.run_id from control.runs as r where r.changed order by r.finished_at desc, r.run_id desc limit 1) as newest,
    (select count(*) from control.runs as r where r.changed) as changed_runs,
    (select max(p.changed_runs) from control.published as p) as shown
