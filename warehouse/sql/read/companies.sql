-- The name of the company behind each source, and when its last load ended.
select c.source, c.name, s.last_load_at
from mart.companies as c
left join mart.load_status as s on s.source = c.source
where c.source = coalesce($source, c.source)
order by c.source
