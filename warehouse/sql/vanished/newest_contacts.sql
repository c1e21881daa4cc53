-- Where each staged contact is: of those newest versions of clients that list it, with that in which it is newest.
create temp table {contacts} as
select id, client_id
from (
    select
        k.id, k.client_id,
        row_number() over (partition by k.id order by k.updated_at desc nulls last, k.arrival desc) as place
    from narrow_contacts as k
    join {clients} as c on c.arrival = k.arrival
) as s
where place = 1
