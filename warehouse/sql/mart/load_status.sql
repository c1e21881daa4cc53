-- One row per source: the last load, the totals, and the problems that need a look.
-- not_listed: clients kept here although the server does not list them. `ninja-sync sweep` checks them.
-- A load is a run that changed something. Idle runs are left out, because no published copy holds them: the copy of a
-- quiet source would look dead. `ninja-sync status` shows the last run of any kind.
create view mart.load_status as
with last_runs as (
    select *, row_number() over (partition by source order by finished_at desc, run_id collate "C" desc) as place
    from control.runs
    where entity = 'clients'
),
last_loads as (
    select *, row_number() over (partition by source order by finished_at desc, run_id collate "C" desc) as place
    from control.runs
    where changed and entity = 'clients'
)
select
    s.source, s.base_url, coalesce(r.server_version, s.server_version) as server_version,
    w.watermark, w.newest_at as newest_change_at, l.finished_at as last_load_at, l.kind as last_load_kind,
    l.inserted as last_inserted, l.updated as last_updated,
    (select count(*) from ninja.clients as c where c.source = s.source) as clients,
    (select count(*) from ninja.contacts as k where k.source = s.source) as contacts,
    r.server_total as clients_on_server, case when w.unexplained > 0 then w.unexplained else 0 end as not_listed,
    (select count(*) from control.quarantine as q where q.source = s.source and q.resolved_run_id is null) as quarantined,
    (select count(*) from control.drift as d where d.source = s.source) as unknown_fields
from control.sources as s
left join control.watermarks as w on w.source = s.source and w.entity = 'clients'
left join last_runs as r on r.source = s.source and r.place = 1
left join last_loads as l on l.source = s.source and l.place = 1
