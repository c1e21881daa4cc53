-- What is known of some mirrored clients.
select c.id, c.name, c.display_name, c.balance, c.observed_at, cast(c.record as varchar) as record
from ninja.clients as c
where c.source = $source and c.id in (select id from asked)
order by c.id collate "C"
