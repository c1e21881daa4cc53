-- How many ids stand more than once in a rebuilt table: none, or the upgrade is undone.
select count(*) from (select source, id from ninja.{entity} group by source, id having count(*) > 1) as doubled
