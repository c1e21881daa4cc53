-- How fresh each source is, and what needs a look. While a pull holds the warehouse, the last run is the published one.
select
    s.source, s.clients, s.contacts, s.clients_on_server, s.not_listed, s.newest_change_at, s.last_load_at, s.last_load_kind,
    r.finished_at as last_run_at, r.kind as last_run_kind, s.quarantined, s.unknown_fields, s.server_version, s.base_url
from mart.load_status as s
left join (
    select *, row_number() over (partition by source order by finished_at desc, run_id collate "C" desc) as place from control.runs
) as r on r.source = s.source and r.place = 1
order by s.source
