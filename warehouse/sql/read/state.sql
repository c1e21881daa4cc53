-- What is known of a source before a pull: its binding, its skew, its watermark, how many records the mirror holds.
-- $source stands in the inner queries, too: as correlated ones they take twice as long to plan.
select
    s.base_url, s.company_id, s.company_fingerprint, s.server_version, s.skew_seconds, s.reference_at,
    w.watermark, w.newest_at, w.began_at, w.local_began_at, w.run_id, w.full_at,
    w.unexplained, w.held,
    (select count(*) from ninja.clients as c where c.source = $source) as mirrored,
    (
        select count(distinct q.id) from control.quarantine as q
        where q.source = $source and q.entity = 'clients' and q.resolved_run_id is null
            and q.id not like '(%'  -- one that has no name may be mirrored
            and not exists (select 1 from ninja.clients as c where c.source = $source and c.id = q.id)
    ) as quarantined,
    (
        select count(*) from control.quarantine as q where q.source = $source and q.resolved_run_id is null
    ) as quarantine_open,
    (select count(*) from control.erasures as e where e.source = $source and e.listed) as erased_listed
from control.sources as s
left join control.watermarks as w on w.source = s.source and w.entity = 'clients'
where s.source = $source
