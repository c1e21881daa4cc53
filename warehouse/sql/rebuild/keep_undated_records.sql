-- The same for a table that knew no versions yet: each record counts as seen first by the run that stored it.
create temp table kept as
select
    m.source, m.run_id, coalesce(r.began_at, m.updated_at, now()) as valid_from,
    coalesce(r.began_at, m.updated_at, now()) as observed_at, m.run_id as observed_run_id,
    cast(m.record as varchar) as record, row_number() over (order by m.source collate "C", m.id collate "C") - 1 as place
from ninja.{entity} as m
left join control.runs as r on r.run_id = m.run_id
