-- The contacts of clients that may be one, the primary one first.
select client_id, first_name, last_name, email, phone
from ninja.contacts
where source = $source and client_id in (select unnest(cast($ids as varchar[])))
order by client_id, is_primary desc nulls last, id collate "C"
