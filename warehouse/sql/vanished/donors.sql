-- The clients that were not met by a scan, and from which a contact has come under a client that was.
select k.client_id
from {contacts} as s
join ninja.contacts as k on k.source = $source and k.id = s.id and k.client_id <> s.client_id
join ninja.clients as m on m.source = k.source and m.id = k.client_id
where not exists (select 1 from {clients} as c where c.id = k.client_id)
group by k.client_id
order by k.client_id collate "C"
