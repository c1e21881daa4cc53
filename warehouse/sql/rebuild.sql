-- The steps of a rebuild of the mirror.

-- :name choose_places
-- Insert each child once: under its old parent, else where it came last. Records of several parents may list it.
insert into ninja.{child} ({columns})
select {columns}
from (
    select
        s.*,
        row_number() over (
            partition by s.source, s.id
            order by
                case when p.id is null then 1 else 0 end, {stamp} desc nulls last, s.run_id collate "C" desc, s.{parent} collate "C" desc
        ) as nth
    from found_{child} as s
    left join places_{child} as p on p.source = s.source and p.id = s.id and p.parent = s.{parent}
) as c
where c.nth = 1

-- :name doubled
-- Count the ids that a rebuilt table has more than once: if there are any, the upgrade is undone.
select count(*) from (select source, id from ninja.{entity} group by source, id having count(*) > 1) as doubled

-- :name keep_places
-- Remember the parent of each child before the table is dropped.
create temp table places_{child} as select distinct source, id, {parent} as parent from ninja.{child}

-- :name keep_records
-- Set the records of a table aside, numbered, before it is dropped.
create temp table kept as
select {kept}, cast(record as varchar) as record, row_number() over (order by source collate "C", id collate "C") - 1 as place
from ninja.{entity}

-- :name keep_undated_records
-- Set aside the records of a table without versions: each counts as first seen by the run that stored it.
create temp table kept as
select
    m.source, m.run_id, coalesce(r.began_at, m.updated_at, now()) as valid_from,
    coalesce(r.began_at, m.updated_at, now()) as observed_at, m.run_id as observed_run_id,
    cast(m.record as varchar) as record, row_number() over (order by m.source collate "C", m.id collate "C") - 1 as place
from ninja.{entity} as m
left join control.runs as r on r.run_id = m.run_id

-- :name kept_records
-- Read one chunk of the records set aside.
select source, run_id, record from kept where place >= $first and place < $last order by place

-- :name put_back
-- Insert rebuilt rows into a table, with their old source and run.
insert into {into} ({columns})
select {selected} from stage_{entity} as s join kept on kept.place = s.arrival
