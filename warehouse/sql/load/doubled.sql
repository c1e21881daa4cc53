-- How many of the loaded ids stand more than once in the mirror: none, or the load is undone.
select count(*) from (
    select id from ninja.{entity}
    where source = $source and id in (select id from {loaded})
    group by id having count(*) > 1
) as doubled
