-- The newest staged version of each client, less all that nobody asks while clients are missing.
create temp table {clients} as
select id, balance, is_deleted, row_hash, updated_at, arrival
from (
    select *, row_number() over (partition by id order by updated_at desc nulls last, arrival desc) as place
    from narrow_clients
) as s
where place = 1
