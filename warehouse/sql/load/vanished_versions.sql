-- The versions that end because their clients vanished; what arrives in this run has not vanished, whatever was said.
-- A merged client was valid until the survivor's present version opened, where that may be by the merge: since the last
-- full pass, which still met both, and since the version that ends. Else, as all others, until this run began.
create temp table ended as
select
    v.id,
    greatest(
        m.valid_from,
        case
            when s.valid_from >= m.valid_from and s.valid_from > (
                select w.full_at from control.watermarks as w where w.source = $source and w.entity = 'clients'
            ) then s.valid_from
            else $began
        end
    ) as valid_to,
    v.kind as ended_by,
    v.into_id,
    v.evidence,
    m.id is not null as mirrored
from stage_vanished as v
left join ninja.{entity} as m on m.source = $source and m.id = v.id
left join ninja.{entity} as s on s.source = $source and s.id = v.into_id
where not exists (select 1 from accepted as a where a.id = v.id)
