-- One row per source and kind of records: the last load, the totals, and the problems that need a look.
-- A load is a run that changed something. records_on_server: the server's own total at the last load. not_listed: records
-- kept here although the server does not list them. `ninja-sync sweep` checks them.
create view mart.entity_status as
with last_loads as (
    select
        source, entity, finished_at, kind,
        row_number() over (partition by source, entity order by finished_at desc, run_id collate "C" desc) as place
    from control.runs
    where changed
),
mirrored as (
    select source, 'clients' as entity, count(*) as records from ninja.clients group by source
    union all select source, 'invoices', count(*) from ninja.invoices group by source
    union all select source, 'payments', count(*) from ninja.payments group by source
    union all select source, 'credits', count(*) from ninja.credits group by source
    union all select source, 'quotes', count(*) from ninja.quotes group by source
    union all select source, 'recurring_invoices', count(*) from ninja.recurring_invoices group by source
    union all select source, 'products', count(*) from ninja.products group by source
    union all select source, 'projects', count(*) from ninja.projects group by source
    union all select source, 'tasks', count(*) from ninja.tasks group by source
    union all select source, 'expenses', count(*) from ninja.expenses group by source
    union all select source, 'vendors', count(*) from ninja.vendors group by source
),
aside as (
    select source, entity, count(*) as records
    from control.quarantine
    where resolved_run_id is null
    group by source, entity
)
select
    w.source, w.entity, w.watermark, w.newest_at as newest_change_at, l.finished_at as last_load_at,
    l.kind as last_load_kind, coalesce(m.records, 0) as records, w.server_total as records_on_server,
    case when w.unexplained > 0 then w.unexplained else 0 end as not_listed, coalesce(a.records, 0) as quarantined
from control.watermarks as w
left join last_loads as l on l.source = w.source and l.entity = w.entity and l.place = 1
left join mirrored as m on m.source = w.source and m.entity = w.entity
left join aside as a on a.source = w.source and a.entity = w.entity
where w.entity <> 'activities'
