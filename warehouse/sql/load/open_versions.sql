-- Since when each arriving version is valid and known: by its stamp where that moved on, else since this run began.
-- A stamp moved on where it is newer than that of the version before. Of a record that was not there, it did where it is not
-- older than the first load and the end of the version before. A stamp of tomorrow is a fault of the server's, and is
-- none. No version is valid before the one before it. A record that was only touched keeps its version.
create temp table opened as
with ended as (
    select id, max(valid_to) as valid_to
    from control.client_versions
    where source = $source and id in (select id from accepted where outcome = 'inserted')
    group by id
),
arriving as (
    select
        a.id, a.arrival, a.outcome, s.updated_at as stamp, m.updated_at as stamp_before,
        m.valid_from, m.observed_at, m.observed_run_id,
        coalesce(m.valid_from, e.valid_to) as at_least, f.first_load_at
    from accepted as a
    join stage_{entity} as s on s.arrival = a.arrival
    left join ninja.{entity} as m on m.source = $source and m.id = a.id
    left join ended as e on e.id = a.id
    cross join (select min(began_at) as first_load_at from control.runs where source = $source) as f
    where a.outcome <> 'unchanged'
)
select
    id, arrival, outcome,
    case
        when outcome = 'touched' then valid_from
        when stamp > $began + interval '1 day' then greatest($began, at_least)
        when outcome = 'updated' and (stamp_before is null or stamp > stamp_before) then greatest(stamp, at_least)
        when outcome = 'inserted' and stamp >= greatest(first_load_at, at_least) then stamp
        else greatest($began, at_least)
    end as valid_from,
    case when outcome = 'touched' then observed_at else $began end as observed_at,
    case when outcome = 'touched' then observed_run_id else $run_id end as observed_run_id
from arriving
