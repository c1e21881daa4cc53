-- By how much the balance of each client has grown since its version before, of those that are staged and of all others.
create temp table {growth} as
with ended as (
    select id, balance, row_number() over (partition by id order by valid_to desc, valid_from desc) as place
    from control.client_versions
    where source = $source
)
select
    coalesce(n.id, m.id) as id,
    coalesce(n.is_deleted, m.is_deleted) as is_deleted,
    coalesce(n.updated_at, m.updated_at) as updated_at,
    case when n.row_hash <> m.row_hash then n.balance - m.balance else m.balance - e.balance end as grown
from {clients} as n
full join (select * from ninja.clients where source = $source) as m on m.id = n.id
left join ended as e on e.id = m.id and e.place = 1
