-- The client of each contact asked for: by what is staged, else by the mirror.
select k.id, k.client_id from {contacts} as k where k.id in (select id from asked)
union all
select k.id, k.client_id
from ninja.contacts as k
where k.source = $source and k.id in (select id from asked) and not exists (
    select 1 from {contacts} as s where s.id = k.id
)
