-- The newest decision of each pair of a source.
select id_a, id_b, decision, author, reason, decided_at
from (
    select *, row_number() over (partition by id_a, id_b order by decided_at desc, decision) as place
    from control.duplicate_decisions where source = $source
) as d
where place = 1
order by id_a collate "C", id_b collate "C"
