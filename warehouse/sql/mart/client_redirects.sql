-- One row per client that vanished from the server and has not come back: gone, purged, or merged into another client.
-- into_id: the client it was merged into. current_id: the client it is part of now, after all later merges, and hops counts the
-- merges. It is NULL if the last of these clients is gone or purged. evidence: the evidence for its fate.
create view mart.client_redirects as
with recursive away as (
    select * from control.redirects where returned_run_id is null
),
chain as (
    select source, id, into_id as current_id, 1 as hops from away where into_id is not null
    union all
    select c.source, c.id, a.into_id as current_id, c.hops + 1 as hops
    from chain as c
    join away as a on a.source = c.source and a.id = c.current_id
    where a.into_id is not null and c.hops < 100
),
last_names as (
    select
        source, id, display_name,
        row_number() over (partition by source, id order by valid_to desc, valid_from desc, ended_at desc) as place
    from control.client_versions
    where ended_by <> 'changed'
)
select
    a.source, a.id, n.display_name, a.kind, a.into_id, c.id as current_id, c.display_name as current_name,
    ch.hops, a.evidence, a.vanished_at, a.run_id
from away as a
left join last_names as n on n.source = a.source and n.id = a.id and n.place = 1
left join chain as ch
    on ch.source = a.source and ch.id = a.id
    and exists (select 1 from ninja.clients as k where k.source = ch.source and k.id = ch.current_id)
left join ninja.clients as c on c.source = a.source and c.id = ch.current_id
