-- Set the records of a table aside, numbered, before it is made anew.
create temp table kept as
select {kept}, cast(record as varchar) as record, row_number() over (order by source collate "C", id collate "C") - 1 as place
from ninja.{entity}
