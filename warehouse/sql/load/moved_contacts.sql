-- The contacts that moved: their id, the client that they left, the client that they are with now.
select k.id, l.client_id as moved_from, k.client_id as moved_to
from left_contacts as l
join ninja.contacts as k on k.source = $source and k.id = l.id and k.client_id <> l.client_id
order by k.id
limit $most_moved
