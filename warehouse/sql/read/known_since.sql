-- The sources of which nothing is known yet at a moment, with the moment at which their first load began.
select source, min(valid_from) as known_since
from mart.client_history
where source = coalesce($source, source)
group by source
having min(valid_from) > $at
order by source
