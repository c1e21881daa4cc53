-- Put each child back once: where it was, else where it came last. The records of several parents may list it.
insert into ninja.{child} ({columns})
select {columns}
from (
    select
        f.*,
        row_number() over (
            partition by f.source, f.id
            order by
                case when p.id is null then 1 else 0 end, f.updated_at desc nulls last, f.run_id collate "C" desc, f.{parent} collate "C" desc
        ) as place
    from found_{child} as f
    left join places_{child} as p on p.source = f.source and p.id = f.id and p.parent = f.{parent}
) as c
where c.place = 1
