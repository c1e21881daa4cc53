-- Where the contacts are, before the load, that come under another client.
create temp table left_contacts as
select distinct k.id, k.client_id
from ninja.contacts as k
join stage_contacts as s on s.id = k.id and s.client_id <> k.client_id
where k.source = $source
