-- The clients that may have taken a lost one in: those whose balance grew by its balance, then those updated last.
select id
from (
    select *, case when $balance <> 0 and grown = $balance then 0 else 1 end as place from {growth} where id <> $lost
) as ranked
where place = 0 or not is_deleted
order by place, updated_at desc nulls last, id collate "C"
limit $most
