-- What a client is called that is here, or was: from the mirror, else from its last version.
select display_name, here
from (
    select display_name, true as here, cast(null as timestamp with time zone) as valid_to
    from ninja.clients
    where source = $source and id = $id
    union all
    select display_name, false as here, valid_to from control.client_versions where source = $source and id = $id
) as versions
order by here desc, valid_to desc
limit 1
