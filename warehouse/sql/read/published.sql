-- The newest run that changed something, how much has been changed, and what the published copy shows: since when, how
-- much of it, and how many seconds it took to write. Changed are runs, and what people decide, wish, plan and approve: rows
-- that are added, so their number is compared.
select
    (select r.run_id from control.runs as r where r.changed order by r.finished_at desc, r.run_id collate "C" desc limit 1) as newest,
    (select count(*) from control.runs as r where r.changed)
    + (select count(*) from control.duplicate_decisions)
    + (select count(*) from control.chosen_survivors)
    + (select count(*) from control.outbox)
    + (select count(*) from control.plans)
    + (select count(*) from control.merge_plans)
    + (select count(*) + count(approved_at) from control.approvals)
    + (select count(*) from control.outcomes)
    + (select count(*) from control.journal) as changed_runs,
    max(p.changed_runs) as shown, max(p.published_at) as published_at, max(p.seconds) as seconds
from control.published as p
