-- How many clients come with an older stamp than they had: a server that was restored sends its past.
select count(*)
from (select id, max(updated_at) as updated_at from {clients} group by id) as s
join ninja.clients as m on m.source = $source and m.id = s.id
where s.updated_at < m.updated_at
